package extract_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

func ExampleExtractReader() {
	file, err := os.Open("testdata/table.pdf")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	format, err := extract.Recognize(info.Name(), "", file, info.Size())
	if err != nil {
		log.Fatal(err)
	}
	result, err := extract.ExtractReader(context.Background(), format, file, info.Size(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Title)
	for _, b := range result.Blocks {
		fmt.Printf("page %d: %s: %.40q\n", b.Page, b.Kind, result.Text[b.Start:b.End])
	}
	// Output:
	// Price list of the harbour
	// page 1: heading: "Price list"
	// page 1: paragraph: "All prices are in euros and hold until t"
	// page 1: table: "| Product | Size | Price |\n| --- | --- |"
	// page 1: paragraph: "Call us about larger quantities."
}
