package knowledge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/secretbox"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/store"
)

// An APISource is a source whose documents are the items that an API of the
// business answers with. The paths in it are JSONPath (RFC 9535), or names with dots
// between: see package knowledge/pull.
type APISource struct {
	Source

	Items      string          // where the items are in an answer; empty: the answer is the list, or the only item
	Mapping    pull.Mapping    // where in an item its parts are
	Pagination pull.Pagination // how to get from one answer to the next
	MaxItems   int             // 0: 100,000

	// Auth and Header are what each request is sent with. They are kept sealed,
	// and are never read back: of a source that is stored Auth has its kind alone,
	// and Header is empty.
	Auth   APIAuth
	Header map[string]string

	HeaderNames []string // of Header, on reading
}

// An AuthKind is a way of saying who asks.
type AuthKind string

// The ways of saying who asks.
const (
	AuthNone   AuthKind = "none"   // and so does the empty one
	AuthBearer AuthKind = "bearer" // Token in Authorization, as of RFC 6750
	AuthBasic  AuthKind = "basic"  // Username and Password in Authorization, as of RFC 7617
	AuthHeader AuthKind = "header" // HeaderValue in the header HeaderName
)

// APIAuth says who asks an API.
type APIAuth struct {
	Kind        AuthKind
	Token       string
	Username    string
	Password    string
	HeaderName  string
	HeaderValue string
}

// apiSettings are the settings of an API as they are stored.
type apiSettings struct {
	Items      string          `json:"items,omitzero"`
	Mapping    pull.Mapping    `json:"mapping"`
	Pagination pull.Pagination `json:"pagination,omitzero"`
	MaxItems   int             `json:"max_items,omitzero"`
	Auth       AuthKind        `json:"auth"`
	Names      []string        `json:"header_names,omitzero"`
	Sealed     []byte          `json:"sealed,omitzero"` // the headers, as JSON
}

func apiOf(s Source) (APISource, error) {
	set, err := settings[apiSettings](s)
	return APISource{
		Source: s, Items: set.Items, Mapping: set.Mapping, Pagination: set.Pagination, MaxItems: set.MaxItems,
		Auth: APIAuth{Kind: set.Auth}, HeaderNames: set.Names,
	}, err
}

// headers returns what each request is sent with.
func (a *APISource) headers() (http.Header, error) {
	h := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if h.Get(name) != "" {
			return nil, invalid("headers", "%s is there twice", clip(name, 64))
		}
		h.Set(name, a.Header[name])
	}
	name, value := "Authorization", ""
	switch auth := a.Auth; auth.Kind {
	case "", AuthNone:
		a.Auth = APIAuth{Kind: AuthNone}
		return h, nil
	case AuthBearer:
		if value = "Bearer " + auth.Token; auth.Token == "" {
			return nil, invalid("auth.token", "is missing")
		}
	case AuthBasic:
		if auth.Username == "" || strings.Contains(auth.Username, ":") {
			return nil, invalid("auth.username", "must be there, and cannot hold a colon")
		}
		value = "Basic " + base64.StdEncoding.EncodeToString([]byte(auth.Username+":"+auth.Password))
	case AuthHeader:
		if name, value = auth.HeaderName, auth.HeaderValue; name == "" || value == "" {
			return nil, invalid("auth.header_name", "and header_value must both be there")
		}
	default:
		return nil, invalid("auth.type", "%q is none: use none, bearer, basic or header", clip(string(auth.Kind), 64))
	}
	if h.Get(name) != "" {
		return nil, invalid("headers", "%s is what auth sets: leave it out of one", clip(name, 64))
	}
	h.Set(name, value)
	return h, nil
}

// pulled is the source as it is pulled.
func (a *APISource) pulled(h http.Header) pull.Source {
	return pull.Source{URL: a.URL, Header: h, Items: a.Items, Mapping: a.Mapping, Pagination: a.Pagination, MaxItems: a.MaxItems}
}

// complete checks an API, fills in its defaults, and writes its settings; the
// headers anew if there are any or keep is nil, and else as keep has them.
func (b *Base) complete(ctx context.Context, a *APISource, keep *apiSettings) error {
	if a.Name = strings.TrimSpace(a.Name); a.Name == "" || utf8.RuneCountInString(a.Name) > 200 || readable(a.Name) != nil {
		return invalid("name", "must have 1 to 200 characters")
	}
	h, err := a.headers()
	if err != nil {
		return err
	}
	if err := pull.Check(a.pulled(h)); err != nil {
		return invalidPull(err)
	}
	set := apiSettings{Items: a.Items, Mapping: a.Mapping, Pagination: a.Pagination, MaxItems: a.MaxItems, Auth: a.Auth.Kind}
	switch {
	case keep != nil:
		set.Auth, set.Names, set.Sealed = keep.Auth, keep.Names, keep.Sealed
	case len(h) > 0:
		set.Names = slices.Sorted(maps.Keys(h))
		if set.Sealed, err = b.seal(ctx, a.ID, h); err != nil {
			return err
		}
	}
	a.Settings = stored(set)
	return nil
}

// invalidPull says of a field of a source what package pull found wrong.
func invalidPull(err error) error {
	if e, ok := errors.AsType[*pull.FieldError](err); ok {
		return invalid(e.Field, "%s", e.Message)
	}
	return err
}

// place is where the headers of a source are sealed for.
func place(company, sourceID string) secretbox.Place {
	return secretbox.Place{Company: company, Table: "sources", Row: sourceID, Column: "settings"}
}

func (b *Base) seal(ctx context.Context, sourceID string, h http.Header) ([]byte, error) {
	if b.lib.box == nil {
		return nil, invalid("auth", "secrets cannot be kept: this desk has no master key; see Options.Keyring, or %s", secretbox.EnvName)
	}
	plain, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return b.lib.box.Seal(ctx, place(b.company, sourceID), plain)
}

// open returns the headers of a source that is stored.
func (l *Library) open(ctx context.Context, company, sourceID string, set apiSettings) (h http.Header, err error) {
	if len(set.Sealed) == 0 {
		return nil, nil
	}
	if l.box == nil {
		return nil, fmt.Errorf("headers of source %s: this desk has no master key; see Options.Keyring, or %s", sourceID, secretbox.EnvName)
	}
	plain, err := l.box.Open(ctx, place(company, sourceID), set.Sealed)
	if err != nil {
		return nil, fmt.Errorf("headers of source %s: %w", sourceID, err)
	}
	return h, json.Unmarshal(plain, &h)
}

// AddAPISource adds an API, and queues its first sync.
func (b *Base) AddAPISource(ctx context.Context, a APISource) (APISource, error) {
	a.ID, a.Kind = id.New(id.Source), SourceAPI
	if err := b.complete(ctx, &a, nil); err != nil {
		return APISource{}, err
	}
	s, err := b.addSource(ctx, a.Source)
	if err != nil {
		return APISource{}, err
	}
	return apiOf(s)
}

// An APISourcePatch changes parts of an API; nil fields stay as they are.
type APISourcePatch struct {
	Name       *string
	URL        *string
	Items      *string
	Mapping    *pull.Mapping
	Pagination *pull.Pagination
	MaxItems   *int
	Schedule   *string

	// Auth and Header are replaced together: to change one of them, give both.
	Auth   *APIAuth
	Header *map[string]string

	// Metadata is merged: a nil value removes its key. With ResetMetadata what
	// was there goes before.
	Metadata      map[string]any
	ResetMetadata bool

	// IfUpdated is the UpdatedAt that the source must have; zero means any.
	IfUpdated time.Time
}

// UpdateAPISource changes parts of an API. Its next sync obeys it. Who changes the
// host of the URL gives Auth and Header again: a secret goes to no host that it was
// not given for.
func (b *Base) UpdateAPISource(ctx context.Context, sourceID string, p APISourcePatch) (APISource, error) {
	a, err := b.APISource(ctx, sourceID)
	if err != nil {
		return APISource{}, err
	}
	there, err := settings[apiSettings](a.Source)
	if err != nil {
		return APISource{}, err
	}
	schedule, updated, url := a.Schedule, a.UpdatedAt, a.URL
	if !p.IfUpdated.IsZero() && !updated.Equal(p.IfUpdated.Truncate(time.Microsecond)) {
		return APISource{}, changedSource(a.ID, updated)
	}
	set(&a.Name, p.Name)
	set(&a.URL, p.URL)
	set(&a.Items, p.Items)
	set(&a.Mapping, p.Mapping)
	set(&a.Pagination, p.Pagination)
	set(&a.MaxItems, p.MaxItems)
	set(&a.Schedule, p.Schedule)
	a.Metadata = mergeMetadata(a.Metadata, p.Metadata, p.ResetMetadata)
	keep := &there
	if p.Auth != nil || p.Header != nil {
		keep, a.Auth = nil, APIAuth{}
		set(&a.Auth, p.Auth)
		set(&a.Header, p.Header)
	} else {
		a.Auth = APIAuth{} // checked when it was given
		if len(there.Sealed) > 0 && !sameHost(url, a.URL) {
			return APISource{}, invalid("auth", "must be given again where the host of the url changes")
		}
	}
	if err := b.complete(ctx, &a, keep); err != nil {
		return APISource{}, err
	}
	s, err := b.changeSource(ctx, a.Source, schedule, updated)
	if err != nil {
		return APISource{}, err
	}
	return apiOf(s)
}

// APISource returns an API.
func (b *Base) APISource(ctx context.Context, sourceID string) (APISource, error) {
	s, err := b.source(ctx, SourceAPI, "API source", sourceID)
	if err != nil {
		return APISource{}, err
	}
	return apiOf(s)
}

// APISources lists APIs, newest first: those of an agent only, if one is given.
func (b *Base) APISources(ctx context.Context, agentID string, p store.Page) (store.List[APISource], error) {
	l, err := b.sourcesOf(ctx, SourceAPI, agentID, p)
	return listEach(l, apiOf, err)
}

// DeleteAPISource removes an API with all its documents, and stops its sync.
func (b *Base) DeleteAPISource(ctx context.Context, sourceID string) (Deleted, error) {
	a, err := b.APISource(ctx, sourceID)
	if err != nil {
		return Deleted{}, err
	}
	return b.deleteSource(ctx, a.Source)
}

// SyncAPISource queues a sync of an API, or returns the one that waits already. A nil
// opts means the zero value.
func (b *Base) SyncAPISource(ctx context.Context, sourceID string, opts *RunOptions) (Run, error) {
	a, err := b.APISource(ctx, sourceID)
	if err != nil {
		return Run{}, err
	}
	return b.startRun(ctx, a.Source, opts)
}

// PreviewAPISource asks an API for its first answer, and says what is in it, how it
// could be mapped, and what its first items would become. It stores nothing. The
// mapping may be left out.
func (b *Base) PreviewAPISource(ctx context.Context, a APISource) (pull.Preview, error) {
	h, err := a.headers()
	if err != nil {
		return pull.Preview{}, err
	}
	puller, err := b.lib.puller()
	if err != nil {
		return pull.Preview{}, err
	}
	out, err := puller.Preview(ctx, a.pulled(h))
	if err != nil {
		if e, ok := errors.AsType[*pull.Error](err); ok {
			return out, runErrorOf(e)
		}
		return out, invalidPull(err)
	}
	a.ID = id.New(id.Source) // as of a source that is there
	for i, item := range out.Sample {
		if out.Sample[i], err = previewed(ctx, a.Source, item); err != nil {
			return out, err
		}
	}
	return out, nil
}

// previewed is an item with what its document would hold, such as the text of HTML.
func previewed(ctx context.Context, s Source, item pull.Item) (pull.Item, error) {
	if item.Err != nil {
		return item, nil
	}
	w, err := prepare(ctx, syncedDocument(s, item))
	if e, ok := errors.AsType[*InvalidError](err); ok {
		return pull.Item{ID: item.ID, Page: item.Page, Index: item.Index, Err: unfit(item, e)}, nil
	}
	if err != nil {
		return item, err
	}
	item.Title, item.Text, item.HTML, item.Metadata = w.Title, w.Text, false, w.Metadata
	return item, nil
}
