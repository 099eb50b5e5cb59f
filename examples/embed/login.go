package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"sync"

	"github.com/answerdesk-go/answerdesk/access"
)

// A login knows people by their passwords, and then by the cookie that they get. It
// stands for the one that you have: all that the desk needs of it is principal.
type login struct {
	company string
	people  map[string]person

	mu       sync.Mutex
	sessions map[string]string // whose cookie it is
}

// A person may do what their scope allows.
type person struct {
	password string // yours are hashed
	scope    access.Scope
}

const cookie = "session"

func newLogin(company string) *login {
	return &login{company: company, sessions: map[string]string{}, people: map[string]person{
		"ann": {"apple", access.ScopeFull},
		"bob": {"banana", access.ScopeWrite},
	}}
}

// principal tells the desk who makes a request. Any error means that nobody is
// known; wrapping [access.ErrInvalidKey] says so in a way that others understand.
func (l *login) principal(r *http.Request) (access.Principal, error) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return access.Principal{}, access.ErrInvalidKey
	}
	l.mu.Lock()
	name, ok := l.sessions[c.Value]
	l.mu.Unlock()
	if !ok {
		return access.Principal{}, access.ErrInvalidKey
	}
	// The id goes into the audit log, and limits are counted by it.
	return access.Principal{ID: "person:" + name, Company: l.company, Scope: l.people[name].scope, Plan: access.PlanUnlimited}, nil
}

func (l *login) in(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	name := r.PostFormValue("user")
	p, ok := l.people[name]
	if !ok || subtle.ConstantTimeCompare([]byte(p.password), []byte(r.PostFormValue("password"))) == 0 {
		http.Error(w, "this is not you", http.StatusUnauthorized)
		return
	}
	session := rand.Text()
	l.mu.Lock()
	l.sessions[session] = name
	l.mu.Unlock()
	// Set Secure as well once there is TLS.
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	w.WriteHeader(http.StatusNoContent)
}

func (l *login) out(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookie); err == nil {
		l.mu.Lock()
		delete(l.sessions, c.Value)
		l.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1})
	w.WriteHeader(http.StatusNoContent)
}
