#!/bin/sh
# Makes the files of this folder again from those in src: run it in this folder.
# It wants LibreOffice, Chromium, groff, Ghostscript, pandoc, Gnumeric, and Python
# with reportlab, Pillow, pypdf, cryptography, openpyxl and python-pptx.
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

# Office files of other programs.
pandoc src/delivery.md -o delivery.docx
pandoc src/delivery.md -o delivery.pptx
ssconvert src/stock.csv stock.xlsx 2>/dev/null
python3 src/python_files.py

# Data: commas in UTF-8, semicolons in windows-1252 (what Excel writes in Europe),
# and right to left.
office csv:"Text - txt - csv (StarCalc)":44,34,76 src/prices.fods
cp prices.csv prices-utf8.csv
office csv:"Text - txt - csv (StarCalc)":59,34,1 src/prices.fods
mv prices.csv prices-excel.csv
ssconvert arabic.xlsx arabic.csv 2>/dev/null

# Pages.
office html:"HTML (StarWriter)" src/manual.fodt
office html:"HTML (StarWriter)" rtl.docx
pandoc -s src/delivery.md -o delivery.html
pandoc -s src/arabic.md -o arabic.html

# Texts.
pandoc -t gfm handbook.docx -o handbook.md
pandoc -t gfm-raw_html rtl.docx -o rtl.md
pandoc -s -t gfm src/delivery.md -o delivery.md
groff -ms -Tutf8 -P-cbou src/paper.ms >paper.txt
office "txt:Text (encoded):UTF8" src/manual.fodt
pandoc -t plain src/arabic.md | iconv -t UTF-16 >arabic.txt

# A page as a picture, as a scanner makes it.
gs -q -o scan-page.pdf -sDEVICE=pdfimage8 -r40 paper.pdf
