package docs

import "html/template"

type channel struct {
	ID, Address string
	About       template.HTML
	Sent        []message // by clients
	Received    []message
}

type message struct {
	Name, Title string
	About       template.HTML
	body
	Examples []string
}

// channels reads AsyncAPI 3. The document is written from the server's point
// of view: what an operation receives, a client sends.
func (s shapes) channels(doc node) []channel {
	var out []channel
	for _, c := range doc.get("channels").members() {
		ch := channel{ID: c.name, Address: c.value.get("address").text(), About: prose(c.value.get("description").text())}
		if ch.About == "" {
			ch.About = prose(c.value.get("title").text())
		}
		for _, op := range doc.get("operations").members() {
			if op.value.get("channel").ref() != c.name {
				continue
			}
			messages := op.value.get("messages").list()
			if messages == nil {
				for _, m := range c.value.get("messages").members() {
					messages = append(messages, m.value)
				}
			}
			for _, m := range messages {
				if op.value.get("action").text() == "receive" {
					ch.Sent = append(ch.Sent, s.messageOf(m))
				} else {
					ch.Received = append(ch.Received, s.messageOf(m))
				}
			}
		}
		out = append(out, ch)
	}
	return out
}

func (s shapes) messageOf(m node) message {
	name := m.ref()
	m = m.resolve()
	if given := m.get("name").text(); given != "" {
		name = given
	}
	about := m.get("description").text()
	if about == "" {
		about = m.get("summary").text()
	}
	out := message{Name: name, Title: m.get("title").text(), About: prose(about), body: s.bodyOf(m.get("payload"))}
	for _, e := range m.get("examples").list() {
		if p := e.get("payload"); p.ok() {
			out.Examples = append(out.Examples, p.json(""))
		}
	}
	if len(out.Examples) == 0 && out.Example != "" {
		out.Examples = []string{out.Example}
	}
	return out
}
