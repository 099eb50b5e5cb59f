"""Makes the PDF files that want a page drawn by hand: a scan, protected ones, a table, many pages."""
from reportlab.lib import pdfencrypt
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen import canvas
from pypdf import PdfWriter
import reportlab.rl_config

reportlab.rl_config.invariant = 1

c = canvas.Canvas("scan.pdf", pagesize=A5)
for _ in range(2):
    c.drawInlineImage(__import__("PIL.Image").Image.new("1", (64, 64), 1), 40, 40, 300, 400)
    c.showPage()
c.save()

for name, user in (("password.pdf", "secret"), ("readable.pdf", "")):
    c = canvas.Canvas(name, pagesize=A5, encrypt=pdfencrypt.StandardEncryption(user, ownerPassword="owner", canModify=0, strength=128))
    c.drawString(40, 500, "Words that are encrypted with an empty password.")
    c.save()

c = canvas.Canvas("table.pdf", pagesize=A5)
c.setTitle("Price list of the harbour")
c.setFont("Helvetica-Bold", 18)
c.drawString(40, 540, "Price list")
c.setFont("Helvetica", 10)
c.drawString(40, 515, "All prices are in euros and hold until the end of the year.")
for i, row in enumerate([("Product", "Size", "Price"), ("Green tea", "100 g", "4.50"), ("Black tea", "250 g", "8.20"), ("Coffee", "500 g", "11.90")]):
    for x, cell in zip((40, 180, 300), row):
        c.drawString(x, 480 - 16 * i, cell)
c.drawString(40, 400, "Call us about larger quantities.")
c.save()

c = canvas.Canvas("pages.pdf", pagesize=A5, pageCompression=1)
for n in range(1, 13):
    c.setFont("Times-Roman", 9)
    c.drawString(40, 570, "Regulations of the harbour, edition 7")
    c.drawCentredString(210, 20, "Page %d of 12" % n)
    c.setFont("Times-Bold", 14)
    c.drawString(40, 530, "Section %d" % n)
    c.setFont("Times-Roman", 10)
    c.drawString(40, 505, "Ships of class %d berth at quay %d and leave it before the tide turns." % (n, n * 3))
    c.drawString(40, 492, "The harbour master decides about exceptions.")
    c.showPage()
c.save()

for algorithm in ("AES-128", "AES-256"):
    w = PdfWriter(clone_from="table.pdf")
    w.encrypt("", "owner", algorithm=algorithm)
    w.write("readable-" + algorithm.lower() + ".pdf")
