package ws_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"courier/ws/wstest"
)

// Every frame type that the code names is in the document, and the other way
// round. That they look as described, every other test checks, since all go
// through wstest.
func TestCodeAndDocumentNameTheSameFrames(t *testing.T) {
	in, out := framesInCode(t)
	documented := map[wstest.Direction][]string{}
	for _, channel := range []string{"courier", "track", "fleet"} {
		for _, d := range []wstest.Direction{wstest.FromClient, wstest.FromServer} {
			documented[d] = append(documented[d], doc(t).Frames(channel, d)...)
		}
	}
	for d, code := range map[wstest.Direction][]string{wstest.FromClient: in, wstest.FromServer: out} {
		want := documented[d]
		slices.Sort(want)
		slices.Sort(code)
		if want, code := slices.Compact(want), slices.Compact(code); !slices.Equal(want, code) {
			t.Errorf("%s: the document has %v\nthe code has %v", d, want, code)
		}
	}
}

// framesInCode finds the cases of the decoders, the Type fields of frames
// that are sent, and what is put together by hand.
func framesInCode(t *testing.T) (in, out []string) {
	t.Helper()
	byHand := regexp.MustCompile(`\{"type":"([a-z.]+)"`)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Type" {
					out = append(out, literals(n.Value)...)
				}
			case *ast.AssignStmt: // a.Type, a.OK = "ack", …
				if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok && s.Sel.Name == "Type" {
					out = append(out, literals(n.Rhs[0])...)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "listFrame" {
					out = append(out, literals(n.Args[0])...)
				}
			case *ast.BasicLit:
				for _, l := range literals(n) {
					if m := byHand.FindStringSubmatch(l); m != nil {
						out = append(out, m[1])
					}
				}
			case *ast.CaseClause:
				if e.Name() == "decode.go" {
					for _, x := range n.List {
						in = append(in, literals(x)...)
					}
				}
			case *ast.BinaryExpr: // typ != "view"
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "typ" && e.Name() == "decode.go" {
					in = append(in, literals(n.Y)...)
				}
			}
			return true
		})
	}
	return in, out
}

func literals(e ast.Expr) []string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return nil
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return nil
	}
	return []string{s}
}
