// Package extract turns the bytes of a file into the text that is stored and
// the structure that passages are cut along.
//
//	format, err := extract.FormatOf("hours.md", data)
//	if err != nil {
//		return err // errors.Is(err, extract.ErrFormat): a PDF, a picture …
//	}
//	result, err := extract.Extract(format, data)
//	for _, b := range result.Blocks {
//		fmt.Println(b.Kind, result.Text[b.Start:b.End])
//	}
//
// Plain text and Markdown are kept as they are: [Result.Text] is the file's own
// characters, so a quote from it can be found in the file with any editor. A
// leading byte order mark is no character of the text and is dropped; offsets
// count from after it. HTML becomes the text a reader of the page sees.
//
// Bytes are hostile here. Size, nesting and the number of blocks are bounded
// ([MaxBytes], [ErrTooLarge]); text that is not UTF-8 or holds NUL bytes is
// refused with its offset ([EncodingError]); no input takes more than linear
// time or memory. HTML that names another charset is read only if its bytes
// are valid UTF-8 all the same, for that is what they then are; nothing is
// transcoded here, because the tables for it would outweigh the rest of the
// package.
package extract
