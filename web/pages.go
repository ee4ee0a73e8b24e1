package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
)

//go:embed all:ui/dist
var dist embed.FS

// pages serves the built files of the three apps.
type pages struct {
	config Config
	policy string
	files  map[string]*file // by URL path
}

// file is one that is served as it is. It takes memory from when it is first
// asked for: a node at rest holds no pages.
type file struct {
	contentType string
	forever     bool // its name changes with its content
	load        func() (*content, error)
}

type content struct {
	body []byte
	zip  []byte // nil: compressing gains nothing
	etag string
}

func newPages(c Config) (*pages, error) {
	p := &pages{config: c, policy: contentPolicy(c), files: map[string]*file{}}
	err := fs.WalkDir(dist, "ui/dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		at := strings.TrimPrefix(name, "ui/dist")
		p.files[at] = newFile(at, func() ([]byte, error) { return dist.ReadFile(name) })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	for page, built := range appPages() {
		if f, ok := p.files[built]; ok {
			p.files[page] = f
		}
	}
	for _, built := range appPages() {
		delete(p.files, built)
	}
	return p, nil
}

// appPages are the addresses of the three apps, and what is built for each.
// Tracking links go to /t: they travel in text messages.
func appPages() map[string]string {
	return map[string]string{"/t": "/track.html", "/track": "/track.html", "/admin": "/admin.html", "/courier": "/courier.html"}
}

func newFile(at string, read func() ([]byte, error)) *file {
	f := &file{contentType: contentType(at), forever: strings.HasPrefix(at, "/assets/")}
	f.load = sync.OnceValues(func() (*content, error) {
		body, err := read()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", at, err)
		}
		sum := sha256.Sum256(body)
		return &content{body: body, zip: compressed(f.contentType, body), etag: `"` + hex.EncodeToString(sum[:12]) + `"`}, nil
	})
	return f
}

// made is for newFile: a body that is there already.
func made(body []byte) func() ([]byte, error) {
	return func() ([]byte, error) { return body, nil }
}

// compressed is nil where compressing gains nothing.
func compressed(contentType string, body []byte) []byte {
	if !strings.HasPrefix(contentType, "text/") && !strings.Contains(contentType, "json") && !strings.Contains(contentType, "svg") &&
		contentType != "application/wasm" && contentType != "application/yaml" {
		return nil
	}
	return compress(body, gzip.BestCompression)
}

func compress(body []byte, level int) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		return nil
	}
	_, err = z.Write(body)
	if z.Close() != nil || err != nil || out.Len() >= len(body) {
		return nil
	}
	return out.Bytes()
}

// contentType does not ask the system: its tables differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".md", ".txt":
		return "text/plain; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".geojson":
		return "application/geo+json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".webp":
		return "image/webp"
	case ".woff2":
		return "font/woff2"
	case ".wasm":
		return "application/wasm"
	case ".yaml":
		return "application/yaml"
	}
	return "application/octet-stream"
}

func (p *pages) register(router *mux.Router) {
	only := []string{http.MethodGet, http.MethodHead}
	for at, f := range p.files {
		router.Path(at).Methods(only...).Handler(p.serve(f))
	}
	for page := range appPages() {
		if p.files[page] == nil {
			router.Path(page).Methods(only...).HandlerFunc(notBuilt)
		}
	}
	router.Path("/").Methods(only...).Handler(http.RedirectHandler("/admin", http.StatusFound))
}

func notBuilt(w http.ResponseWriter, _ *http.Request) {
	send(w, http.StatusNotFound, plain{textPlain, []byte("pages not built: see web/ui\n")})
}

func (p *pages) serve(f *file) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pageHeaders(w.Header(), p.policy, p.config)
		f.serve(w, r)
	})
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	c, err := f.load()
	if err != nil {
		send(w, http.StatusInternalServerError, plain{textPlain, []byte(err.Error() + "\n")})
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, etag := c.body, c.etag
	if c.zip != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body, etag = c.zip, strings.TrimSuffix(etag, `"`)+`-gz"`
		}
	}
	h.Set("Etag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func acceptsGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(coding, "gzip") {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}

// pageHeaders are what a browser should know before it opens a page.
func pageHeaders(h http.Header, policy string, c Config) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Permissions-Policy", "geolocation=(self), camera=(), microphone=(), payment=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that know no frame-ancestors
	if strings.HasPrefix(c.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// contentPolicy lets pages load from here and from the map's hosts alone.
func contentPolicy(c Config) string {
	hosts := ""
	for _, u := range append([]string{c.MapStyleURL}, c.MapHosts...) {
		if o := origin(u); o != "" && !strings.Contains(hosts+" ", " "+o+" ") {
			hosts += " " + o
		}
	}
	return "default-src 'self'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data: blob:" + hosts + "; connect-src 'self' ws: wss:" + hosts +
		"; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
