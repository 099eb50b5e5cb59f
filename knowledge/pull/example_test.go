package pull_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

func Example() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("cursor") == "" {
			fmt.Fprint(w, `{"data": [{"id": 1, "attributes": {"title": "Hours", "body": "<p>We open at nine.</p>"}}], "next": "b2"}`)
			return
		}
		fmt.Fprint(w, `{"data": [{"id": 2, "attributes": {"title": "Returns", "body": "<p>Within 30 days.</p>"}}, {"id": 3}], "next": null}`)
	}))
	defer api.Close()

	puller, err := pull.New(api.Client(), nil) // elsewhere: the HTTP client of internal/egress
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := puller.Pull(pull.Source{
		URL:        api.URL,
		Header:     http.Header{"Authorization": {"Bearer sesame"}},
		Items:      "data",
		Mapping:    pull.Mapping{ID: "id", Title: "attributes.title", Text: "attributes.body"},
		Pagination: pull.Pagination{Kind: pull.Cursor, Path: "next"},
	}, pull.Known{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for item, err := range run.Items(context.Background()) {
		switch {
		case err != nil:
			fmt.Println("failed:", err)
		case item.Err != nil:
			fmt.Println("left out:", item.Err)
		default:
			fmt.Println(item.ID, item.Title, item.Text)
		}
	}
	fmt.Println("all items were seen:", run.Report().Complete)
	// Output:
	// 1 Hours <p>We open at nine.</p>
	// 2 Returns <p>Within 30 days.</p>
	// left out: mapping: item 3: path of the text matches nothing
	// all items were seen: true
}

func ExamplePuller_Preview() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"articles": [{"id": 7, "title": "Hours", "body": "We open at nine.", "category": "Visits"}]}`)
	}))
	defer api.Close()
	puller, err := pull.New(api.Client(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	preview, err := puller.Preview(context.Background(), pull.Source{URL: api.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(preview.Items, preview.Mapping.ID, preview.Mapping.Title, preview.Mapping.Text, preview.Mapping.Metadata)
	fmt.Println(preview.Sample[0].Title+":", preview.Sample[0].Text)
	// Output:
	// $.articles $.id $.title $.body map[category:$.category]
	// Hours: We open at nine.
}
