// Package extract turns the bytes of a file into the text that is stored and
// the structure that passages are cut along.
//
//	format, err := extract.Recognize("prices.xlsx", "", file, size)
//	if err != nil {
//		return err // errors.Is(err, extract.ErrFormat): a picture …; it says what to save it as
//	}
//	result, err := extract.ExtractReader(ctx, format, file, size, nil)
//	for _, b := range result.Blocks {
//		fmt.Println(b.Page, b.Kind, result.Text[b.Start:b.End])
//	}
//
// Plain text and Markdown are kept as they are: [Result.Text] is the file's own
// characters, so a quote from it can be found in the file with any editor. A
// leading byte order mark is no character of the text and is dropped; offsets
// count from after it. HTML becomes the text a reader of the page sees.
//
// Files of CSV and JSON become a block a record, which names its columns; those
// of Word, PowerPoint, Excel and PDF the text that their reader sees, with the
// page of each block.
//
// Of office files that is the text with all changes accepted, footnotes behind
// the paragraph that refers to them, without comments, headers, footers, what is
// hidden, and the notes of a speaker. Of a PDF it is what stands where on the
// page that tells columns, tables, headings and paragraphs: a good guess.
//
// Bytes are hostile here. Size, nesting and the number of blocks are bounded
// ([MaxBytes], [MaxFile], [ErrTooLarge]), and so is what a file unpacks to: 256
// MiB of an office file, which never are in memory together, and a thousand
// times the work of a large manual for a PDF. Text takes at most linear time. A
// PDF of a thousand pages takes its own size in memory, that of its text a few
// times, and one page. Nothing is fetched and nothing is run: entities,
// document types, macros, formulas and scripts are not.
//
// [Extract] refuses text that is not UTF-8 or holds NUL bytes with its offset
// ([EncodingError]): it was sent as text. [ExtractReader] reads files, and a good
// part of those that offices export are windows-1252 or Shift_JIS, so it
// transcodes them. The tables for that are those of golang.org/x/text, which the
// HTML tokenizer's module brings along: 0.9 MB of a program. A label is believed
// only where the bytes do not show it wrong: valid UTF-8 is UTF-8.
package extract
