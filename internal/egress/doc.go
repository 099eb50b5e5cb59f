// Package egress is the only way out: every HTTP request Answerdesk makes to an
// address somebody else chose (webhooks, crawled pages, vendors, models) goes
// through a [Client], which decides by the address that is really dialled.
//
//	out, err := egress.New(&egress.Options{
//		Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}, // the operator's own receivers
//	})
//	if err != nil {
//		return err
//	}
//	if err := out.CheckURL(endpoint.URL); err != nil {
//		return err // a hint when the URL is saved; the dial decides again
//	}
//	resp, err := out.HTTP().Post(endpoint.URL, "application/json", body)
//
// A name proves nothing, because it may mean another address a second later.
// So the rule about addresses is asked by the socket, after the name was
// resolved and before the connection is made: once for each address tried.
// What is refused is never connected to, whatever spelling, redirect or DNS
// answer led there.
//
// A client sends no cookies, uses no proxy from the environment, follows no
// redirect to elsewhere, unpacks no compressed body, and bounds the bytes it
// reads and the time it waits. Connections are never shared between two
// clients, so what one policy allowed is not reused under another.
//
// Every failure is an [*Error]. Its text may be shown to whoever owns the URL:
// it holds no address and no network range, so it cannot be used to map the
// network the server stands in. [Error.Detail] is for the operator.
package egress
