package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// A Class is the kind of an [Error]: short and stable, to store and to count.
type Class string

// The classes of errors. Only the first says that trying again is useless.
const (
	Refused  Class = "refused"   // policy forbids the URL or the address
	Name     Class = "name"      // the host's name could not be resolved, or not in time
	Connect  Class = "connect"   // no connection could be made
	TLS      Class = "tls"       // the handshake failed or the certificate is not valid
	Timeout  Class = "timeout"   // a deadline passed
	Canceled Class = "canceled"  // the caller gave up
	TooLarge Class = "too_large" // the body is longer than Options.MaxBody
	Broken   Class = "broken"    // the connection was lost, or what came over it breaks a rule of HTTP
)

// An Error is a request that was refused or failed. Find it with
// errors.AsType[*Error]: http.Client wraps it in a *url.Error, whose text
// quotes the whole URL.
type Error struct {
	Class  Class
	text   string
	detail string
	cause  error
}

// Error describes the failure in words fit for the owner of the URL: no
// address, no range, nothing the other side sent.
func (e *Error) Error() string { return string(e.Class) + ": " + e.text }

// Detail describes the failure for the operator: the address that was dialled,
// the range it matched, the error of the system.
func (e *Error) Detail() string {
	switch {
	case e.detail != "":
		return e.text + ": " + e.detail
	case e.cause != nil:
		return e.text + ": " + e.cause.Error()
	}
	return e.text
}

// Unwrap returns the error of the standard library, if one caused e. Its text
// may hold addresses.
func (e *Error) Unwrap() error { return e.cause }

// Timeout says whether a deadline passed, as [net.Error] has it.
func (e *Error) Timeout() bool { return e.Class == Timeout }

func refused(text, detail string) *Error {
	return &Error{Class: Refused, text: text, detail: detail}
}

// failure makes the [Error] of err, which ended a request made under ctx;
// handshake says that its TLS handshake failed.
func failure(ctx context.Context, err error, handshake bool) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e // said by the policy at the dial; what is around it names the address
	}
	class, text := classify(ctx, err, handshake)
	return &Error{Class: class, text: text, cause: err}
}

func classify(ctx context.Context, err error, handshake bool) (Class, string) {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge, fmt.Sprintf("the body is longer than %d bytes", e.Limit)
	}
	if ctx.Err() == context.Canceled { // err is the cause of it, whatever that is
		return Canceled, "the caller gave up"
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return Name, "the host's name does not exist"
	} else if ok {
		return Name, "the host's name could not be resolved"
	}
	if e, ok := errors.AsType[net.Error](err); ctx.Err() != nil || ok && e.Timeout() {
		return Timeout, "no complete answer in time"
	}
	if handshake {
		return TLS, certificate(err)
	}
	op, ok := errors.AsType[*net.OpError](err)
	switch dial := ok && op.Op == "dial"; {
	case dial && errors.Is(err, syscall.ECONNREFUSED):
		return Connect, "connection refused"
	case dial:
		return Connect, "no connection could be made"
	case errors.Is(err, syscall.ECONNRESET):
		return Broken, "connection reset"
	}
	return Broken, "the request could not be sent or its answer not be read"
}

// certificate says what is wrong with a handshake, without the names and
// dates the certificate holds.
func certificate(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "the certificate has expired or is not valid yet"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is for another name"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate is not valid"
	}
	return "the handshake failed; the server must speak TLS 1.2 or later"
}
