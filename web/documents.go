package web

import (
	"net/http"

	"github.com/gorilla/mux"

	"courier/web/api"
	"courier/web/docs"
)

// documents serves the API's documents, for people and for programs.
type documents struct {
	config Config
	policy string
	files  map[string]*file
}

func newDocs(c Config) *documents {
	d := &documents{config: c, policy: contentPolicy(c), files: map[string]*file{
		"/docs":              newFile("docs.html", func() ([]byte, error) { return docs.Render(api.OpenAPI, c.AsyncAPI) }),
		"/docs/openapi.yaml": newFile("openapi.yaml", made(api.OpenAPI)),
	}}
	if c.AsyncAPI != nil {
		d.files["/docs/asyncapi.yaml"] = newFile("asyncapi.yaml", made(c.AsyncAPI))
	}
	return d
}

func (d *documents) register(router *mux.Router) {
	for at, f := range d.files {
		router.Path(at).Methods(http.MethodGet, http.MethodHead).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			pageHeaders(w.Header(), d.policy, d.config)
			f.serve(w, r)
		})
	}
	router.Path("/docs/").Methods(http.MethodGet, http.MethodHead).Handler(http.RedirectHandler("/docs", http.StatusMovedPermanently))
}
