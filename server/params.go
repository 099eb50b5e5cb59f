package server

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// checkParams compares the parameters of a request with the contract. None may be
// there twice: of two, readers take different ones. Those that the contract does
// not have are passed over.
func checkParams(r *http.Request, op *operation) error {
	if len(op.params) == 0 {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return wrong("query", "is not encoded as the query of an address is")
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: map[string]string{}, QueryParams: query,
		Options: &openapi3filter.Options{SkipSettingDefaults: true}, // which would change the request of whoever is around the server
	}
	for _, p := range op.params {
		var sent []string
		switch p.In {
		case openapi3.ParameterInPath:
			in.PathParams[p.Name] = r.PathValue(p.Name)
		case openapi3.ParameterInQuery:
			sent = query[p.Name]
		case openapi3.ParameterInHeader:
			sent = r.Header.Values(p.Name)
		}
		if len(sent) > 1 {
			return wrong(p.Name, "is there twice: send it once")
		}
		if err := openapi3filter.ValidateParameter(r.Context(), in, p); err != nil {
			return wrong(p.Name, "%s", reasonOfParam(err))
		}
	}
	return nil
}

// reasonOfParam says what is wrong with a parameter, without its value.
func reasonOfParam(err error) string {
	if _, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return reasonOf(err)
	}
	e, ok := errors.AsType[*openapi3filter.RequestError](err)
	switch {
	case ok && errors.Is(e.Err, openapi3filter.ErrInvalidEmptyValue):
		return "is empty: leave it out"
	case ok && e.Parameter.Schema != nil:
		return "must be " + kindOf(e.Parameter.Schema.Value)
	}
	return "cannot be taken"
}
