"""Makes the files that Python's libraries write: a workbook and a presentation that read from right to left, and JSON."""
import json
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

rows = [("الصنف", "السعر", "الكمية"), ("شاي أخضر", 4.5, 12), ("شاي أسود", 3.25, 15), ("قهوة", 11.9, 7)]
w = Workbook()
w.active.title = "الأسعار"
w.active.sheet_view.rightToLeft = True
for row in rows:
    w.active.append(row)
hours = w.create_sheet("الدوام")
hours.append(("اليوم", "من", "إلى"))
hours.append(("السبت", "عشرة", "أربعة"))
w.save("arabic.xlsx")

p = Presentation()
s = p.slides.add_slide(p.slide_layouts[1])
s.shapes.title.text = "تدريب الموظفين"
s.placeholders[1].text = "ارتد الخوذة في المستودع\nاعرف مخارج الطوارئ"
s = p.slides.add_slide(p.slide_layouts[5])
s.shapes.title.text = "الأسعار"
t = s.shapes.add_table(4, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
for i, row in enumerate(rows):
    for j, cell in enumerate(row):
        t.cell(i, j).text = str(cell)
p.save("arabic.pptx")

items = [{"name": "Otter", "kind": "kayak", "price": {"eur": 300, "per": "day"}, "seats": 2}, {"name": "Heron", "kind": "kayak", "price": {"eur": 450, "per": "day"}, "seats": 1}]
with open("boats.json", "w") as f:
    json.dump({"title": "Boats for rent", "boats": items, "opening": {"summer": "April to October", "winter": "closed"}}, f, indent=2)
with open("arabic.json", "w") as f:
    json.dump([{"سؤال": "متى تفتحون؟", "جواب": "نفتح في الساعة التاسعة صباحا كل يوم."}, {"سؤال": "أين المتجر؟", "جواب": "المتجر في الميناء القديم."}], f)
with open("questions.jsonl", "w") as f:
    for q, a in (("Do you repair clocks?", "On Fridays, while you wait."), ("Do you repair bells?", "No, never.")):
        f.write(json.dumps({"question": q, "answer": a}) + "\n")
