package pull_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

func TestCurl(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		header http.Header
		want   string // ADDRESS stands for the server's
	}{
		"bearer": {"/items", http.Header{"authorization": {"Bearer s3cret-value"}},
			`curl -sS -i -H "Authorization: Bearer $TOKEN" -H 'Accept: application/json' 'ADDRESS/items'`},
		"own name": {"/items?a=b&c=d", http.Header{"X-Api-Key": {"s3cret-value"}, "Accept": {"application/vnd.x+json"}, "X-Api-Version": {"2026-01-01"}},
			`curl -sS -i -H 'Accept: application/vnd.x+json' -H "X-Api-Key: $TOKEN" -H 'X-Api-Version: 2026-01-01' 'ADDRESS/items?a=b&c=d'`},
		"several": {"/", http.Header{"X-B": {"s3cret-one"}, "X-A": {"s3cret-two"}, "Authorization": {"s3cret-value with spaces"}},
			`curl -sS -i -H "Authorization: $TOKEN" -H "X-A: $TOKEN_2" -H "X-B: $TOKEN_3" -H 'Accept: application/json' 'ADDRESS/'`},
		"parameter": {"/items?q=it's&api_key=s3cret%2Bvalue&x=1", nil,
			`curl -sS -i -H 'Accept: application/json' "ADDRESS/items?q=it's&api_key=$TOKEN&x=1"`},
		"parameter with what a shell would read": {"/items?q=$(id)&key=s3cret-value", nil,
			`curl -sS -i -H 'Accept: application/json' 'ADDRESS/items?q=$(id)&key='"$TOKEN"`},
		"secret elsewhere": {"/items/s3cret-value/x?copy=s3cret-value2", http.Header{"Authorization": {"Token s3cret-value"}},
			`curl -sS -i -H "Authorization: Token $TOKEN" -H 'Accept: application/json' "ADDRESS/items/$TOKEN/x?copy=${TOKEN}2"`},
		"quotes": {"/items?q='a'%20%22b%22", nil, `curl -sS -i -H 'Accept: application/json' 'ADDRESS/items?q='\''a'\''%20%22b%22'`},
		"pages are no secrets": {"/items?page_token=abc&next_token=def", nil,
			`curl -sS -i -H 'Accept: application/json' 'ADDRESS/items?page_token=abc&next_token=def'`},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
			got := collect(t, newRun(t, newPuller(t, guarded(t, address), nil), pull.Source{URL: address + c.path, Header: c.header, Mapping: plain}, pull.Known{}))
			e := got.wantErr(t, pull.KindNetwork, "404")
			if want := strings.ReplaceAll(c.want, "ADDRESS", address); e.Curl != want {
				t.Errorf("curl = %s\nwant   %s", e.Curl, want)
			}
		})
	}
}

// TestCurlRepeatsTheRequest runs the command in a shell, and compares what the
// server is asked.
func TestCurlRepeatsTheRequest(t *testing.T) {
	curl, err := exec.LookPath("curl")
	shell, err2 := exec.LookPath("sh")
	if errors.Join(err, err2) != nil {
		t.Logf("without curl and sh only the text is compared, by TestCurl")
		return
	}
	var asked []string
	address := serve(t, func(w http.ResponseWriter, req *http.Request) {
		asked = append(asked, strings.Join([]string{req.Method, req.RequestURI, req.Header.Get("Authorization"), req.Header.Get("X-Key"), req.Header.Get("Accept")}, "\n"))
		w.WriteHeader(404)
	})
	token, key := `p$a"s's`+"`"+`\w!ord`, "another key"
	src := pull.Source{URL: address + "/a'b?q=$HOME!`x`&r=\"", Header: http.Header{"Authorization": {"Bearer " + token}, "X-Key": {key}}, Mapping: plain}
	src.URL = strings.ReplaceAll(src.URL, `"`, "%22")
	got := collect(t, newRun(t, newPuller(t, guarded(t, address), nil), src, pull.Known{}))
	e := got.wantErr(t, pull.KindNetwork, "404")
	cmd := exec.Command(shell, "-c", strings.Replace(e.Curl, "curl ", curl+" --noproxy '*' ", 1))
	cmd.Env = []string{"TOKEN=" + token, "TOKEN_2=" + key, "HOME=/nowhere"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", e.Curl, err, out)
	}
	if len(asked) != 2 || asked[0] != asked[1] {
		t.Errorf("%s\nasked for %q", e.Curl, asked)
	}
}

// TestNoSecretIsTold makes every kind of failure with a server that gives back
// every secret wherever it can.
func TestNoSecretIsTold(t *testing.T) {
	const bearer, key, param, password, cookie = "SENTINEL-bearer/+=&x", "SENTINEL-key", "SENTINEL+param x", "SENTINEL-password", "sid=SENTINEL-cookie"
	all := strings.Join([]string{bearer, key, param, password, cookie}, " ")
	quoted := encode(all)
	type object = map[string]any
	for name, h := range map[string]http.HandlerFunc{
		"status":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); fmt.Fprint(w, all) },
		"auth":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401); fmt.Fprint(w, all) },
		"rate":     func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "999"); w.WriteHeader(429) },
		"not json": answer(all),
		"html":     answer("<p>" + all),
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/x?access_token="+url.QueryEscape(bearer))
			w.WriteHeader(302)
		},
		"elsewhere": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://"+key+".example.com/")
			w.WriteHeader(302)
		},
		"broken":    func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"no items":  answer(`{` + quoted + `:[]}`),
		"members":   answer(`{"data":[{` + quoted + `:1}]}`),
		"ids":       answer(`{"data":[{"id":` + quoted + `},{"id":1,"body":"x"}]}`),
		"ids twice": answer(`{"data":[{"id":` + quoted + `,"body":"x"},{"id":` + quoted + `,"body":"y"}]}`),
		"cursor":    answer(encode(object{"data": articles(1, 1), "next": object{bearer: 1}})),
		"page number": func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Query().Get("cursor") != "" {
				w.WriteHeader(400)
				return
			}
			fmt.Fprint(w, encode(object{"data": articles(1, 1), "next": bearer}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, h)
			src := pull.Source{
				URL:   address + "/v1/" + key + "?token=" + url.QueryEscape(param),
				Items: "data", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Cursor, Path: "next"},
				Header: http.Header{"Authorization": {"Bearer " + bearer}, "X-Whatever": {key}, "Cookie": {cookie}, "X-Basic": {"Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+password))}, "User-Agent": {"me " + key}},
			}
			p := newPuller(t, guarded(t, address), &pull.Options{MaxRetryAfter: 1})
			got := collect(t, newRun(t, p, src, pull.Known{}))
			var told []*pull.Error
			for _, it := range got.failed {
				told = append(told, it.Err)
			}
			if got.err != nil {
				e, ok := errors.AsType[*pull.Error](got.err)
				if !ok {
					t.Fatalf("error = %v, want one of a pull", got.err)
				}
				told = append(told, e)
			}
			if len(told) == 0 {
				t.Fatal("nothing failed")
			}
			for _, e := range told {
				text, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				if e.Curl == "" || !strings.Contains(e.Curl, "Bearer $TOKEN") {
					t.Errorf("curl = %s", e.Curl)
				}
				lower := strings.ToLower(string(text) + e.Error())
				for _, s := range []string{"SENTINEL", url.QueryEscape(bearer), base64.StdEncoding.EncodeToString([]byte("user:" + password))} {
					if strings.Contains(lower, strings.ToLower(s)) {
						t.Errorf("%s tells %s", text, s)
					}
				}
			}
		})
	}
}

func TestHeadersStayAtTheirHost(t *testing.T) {
	asked := 0
	other := serve(t, func(http.ResponseWriter, *http.Request) { asked++ })
	for name, c := range map[string]struct {
		paging pull.Pagination
		serve  http.HandlerFunc
		says   string
	}{
		"redirect": {pull.Pagination{}, func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, other, 302) }, "redirects to another host"},
		"next":     {pull.Pagination{Kind: pull.Next, Path: "next"}, answer(encode(map[string]any{"data": articles(1, 1), "next": other})), "address of the next page is on another host"},
		"link": {pull.Pagination{Kind: pull.Link}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "<"+other+">; rel=next")
			fmt.Fprint(w, encode(map[string]any{"data": articles(1, 1)}))
		}, "address of the next page is on another host"},
		"no address": {pull.Pagination{Kind: pull.Next, Path: "next"}, answer(encode(map[string]any{"data": articles(1, 1), "next": "file:///etc/passwd"})), "is none of a page"},
		"user name":  {pull.Pagination{Kind: pull.Next, Path: "next"}, answer(encode(map[string]any{"data": articles(1, 1), "next": "//x@127.0.0.1/"})), "on another host"},
	} {
		t.Run(name, func(t *testing.T) {
			got := pullFrom(t, c.serve, pull.Source{Items: "data", Mapping: plain, Pagination: c.paging, Header: http.Header{"Authorization": {"Bearer x"}}})
			got.wantErr(t, pull.KindNetwork, c.says)
		})
	}
	if asked != 0 {
		t.Errorf("the other host was asked %d times", asked)
	}
}

func TestRedirectsWithinTheHost(t *testing.T) {
	got := pullFrom(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/" {
			w.Header().Set("Location", "/v2/?x=1")
			w.WriteHeader(308)
			return
		}
		if req.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, encode(articles(1, 2)))
	}, pull.Source{URL: "/", Mapping: plain, Header: http.Header{"Authorization": {"Bearer x"}}})
	got.wantEnd(t, pull.EndDone, true)
	got = pullFrom(t, func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, req.URL.Path+"x", 302) }, pull.Source{URL: "/", Mapping: plain})
	got.wantErr(t, pull.KindNetwork, "redirects more than 5 times")
}

// TestNextAddresses are of servers behind a proxy, and of those that leave out
// the key.
func TestNextAddresses(t *testing.T) {
	var asked []string
	n := &network{serve: func(w http.ResponseWriter, req *http.Request) {
		asked = append(asked, req.URL.String())
		body := map[string]any{"data": articles(len(asked)*10, 1)}
		if len(asked) == 1 {
			body["next"] = "http://API.example.com/items?page=2"
		}
		fmt.Fprint(w, encode(body))
	}}
	src := pull.Source{URL: "https://api.example.com/items?api_key=abc&lang=en", Items: "data", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Next, Path: "next"}}
	got := collect(t, newRun(t, newPuller(t, &http.Client{Transport: n}, &pull.Options{Pause: -1}), src, pull.Known{}))
	got.wantEnd(t, pull.EndDone, true)
	if want := "https://api.example.com/items?api_key=abc&lang=en https://api.example.com/items?page=2&api_key=abc"; strings.Join(asked, " ") != want {
		t.Errorf("asked for %s\nwant %s", strings.Join(asked, " "), want)
	}
}
