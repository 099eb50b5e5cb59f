#!/bin/sh
# Makes the files of this folder again from those in src: run it in this folder.
# It wants LibreOffice, Chromium, groff, Ghostscript, and Python with reportlab,
# Pillow, pypdf and cryptography.
# What comes out differs from run to run in dates and ids, not in its text.
set -eu
office() { soffice --headless --convert-to "$1" --outdir . "$2" >/dev/null 2>&1; }

office docx:"MS Word 2007 XML" src/manual.fodt
office pdf src/manual.fodt
office xlsx src/prices.fods
office pptx src/training.fodp
mv training.pptx slides.pptx
office pdf src/training.fodp
for page in handbook rtl cjk; do
	soffice --headless --infilter="HTML (StarWriter)" --convert-to docx:"MS Word 2007 XML" --outdir . "src/$page.html" >/dev/null 2>&1
	chromium --headless --no-sandbox --disable-gpu --print-to-pdf="$page.pdf" --no-pdf-header-footer "src/$page.html" >/dev/null 2>&1
done
chromium --headless --no-sandbox --disable-gpu --print-to-pdf=columns.pdf --no-pdf-header-footer src/columns.html >/dev/null 2>&1
mv rtl.pdf rtl-chromium.pdf
office pdf rtl.docx
office pdf cjk.docx
groff -ms -Tps src/paper.ms | ps2pdf - paper.pdf
python3 src/reportlab_files.py
