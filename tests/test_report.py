#!/usr/bin/env python3
"""test_report.py - pages of `fer report` as a browser's parsers read them: well-formed, self-contained, the log's own
figures, pictures that decode, hostile names harmless. Needs nothing but Python."""
import base64, html.parser, json, os, re, shutil, subprocess, sys, xml.etree.ElementTree as tree, zlib

TMP = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "report")
passed = failed = 0

def check(what, good):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED:", what)

def make(name, data, epochs, fer="./fer"):
    """A run of so many epochs and its page, as text."""
    run = os.path.join(TMP, name)
    for command in (["train", "--data", data, "--size", "48", "--batch", "4",
                     "--epochs", str(epochs), "--out", run],
                    ["report", run]):
        subprocess.run([fer, *command], check=True, stdout=subprocess.DEVNULL)
    with open(run + "/report.html", encoding="utf-8") as f:
        return f.read()

def unpack_png(png):
    """Width, height and rows of a grey PNG file; the checksums are looked at."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        length = int.from_bytes(png[at:at + 4], "big")
        name, body = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        assert zlib.crc32(name + body) == int.from_bytes(png[at + 8 + length:at + 12 + length], "big")
        chunks[name], at = body, at + 12 + length
    width, height = (int.from_bytes(chunks[b"IHDR"][i:i + 4], "big") for i in (0, 4))
    rows = zlib.decompress(chunks[b"IDAT"])
    assert chunks[b"IHDR"][8:] == b"\x08\0\0\0\0" and len(rows) == height * (width + 1) and b"IEND" in chunks
    assert not any(rows[i * (width + 1)] for i in range(height))
    return width, height, b"".join(rows[i * (width + 1) + 1:(i + 1) * (width + 1)] for i in range(height))

class Balance(html.parser.HTMLParser):
    """Counts elements as HTML's parser sees them; `wrong` tells of an end tag that closes something else."""
    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.tags = [], False, set()
        self.feed(text)
    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)
    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
    def handle_endtag(self, tag):
        self.wrong |= not self.open or self.open.pop() != tag

def check_page(name, text):
    """What holds of every page; its root."""
    root = tree.fromstring(text)
    page = Balance(text)
    check(name + ": HTML is balanced", not page.wrong and not page.open)
    check(name + ": no scripts, no frames",
          not page.tags & {"script", "iframe", "object", "embed", "link", "form", "base"})
    check(name + ": no handlers", not any(a.startswith("on") for e in root.iter() for a in e.attrib))
    png = "data:image/png;base64,"
    inside = lambda e: (e.get("href") or "#")[0] == "#" and (e.get("src") or png).startswith(png)
    check(name + ": nothing from outside", all(map(inside, root.iter())) and "url(" not in text and "@import" not in text)
    check(name + ": small", len(text) < 2e6)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    check(name + ": ids are unique", len(ids) == len(set(ids)))
    check(name + ": links lead somewhere", all(e.get("href")[1:] in ids for e in root.iter("a")))
    check(name + ": pictures have words", all(e.get("alt") for e in root.iter("img")))
    check(name + ": plots have names",
          all(e.get("aria-labelledby") in ids for e in root.iter("svg") if e.get("role") == "img"))
    return root

def values(element):
    return [e.get("value") for e in element.iter("data")]

def check_log(name, root, run):
    """The table of epochs has the log's own digits, and the plots have its epochs."""
    lines = open(run + "/log.csv", newline="").read().split("\r\n")[1:-1]
    course = next(e for e in root.iter("section") if e.get("id") == "course")
    rows = [[r.find("th").text] + values(r) for r in course.iter("tr")][1:]
    check(name + ": the log's figures", rows == [line.split(";") for line in lines])
    for e in course.iter("path"):
        if e.get("class", "").startswith("curve ") and "M0 0" in e.get("d"):
            check(name + ": a point an epoch", len(re.findall("[ML][0-9]", e.get("d"))) == len(lines) + 1)

def check_evaluation(name, root, fer, run):
    """Confusion matrix, scores and headline agree with one another and with `fer eval`."""
    sections = {e.get("id"): e for e in root.iter("section")}
    matrix = [[int(c.text) for c in r.iter("td")] for r in sections["confusion"].find(".//tbody")]
    said = subprocess.run([fer, "eval", run], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    expected = [[int(x) for x in line.split()[4:]] for line in said.splitlines()[-7:]]
    check(name + ": the matrix of fer eval", matrix == expected)
    for i, row in enumerate(sections["classes"].find(".//tbody")):
        precision, recall, f1 = map(float, values(row))
        predicted, images, right = sum(r[i] for r in matrix), sum(matrix[i]), matrix[i][i]
        check(name + ": precision and recall", precision == (right / predicted if predicted else 0) and
              recall == (right / images if images else 0) and int(row[-1].text) == images)
        check(name + ": F1", abs(f1 - (2 * precision * recall / (precision + recall) if right else 0)) < 1e-12)
    headline = values(root.find(".//dl"))
    images = sum(map(sum, matrix))
    check(name + ": headline", float(headline[0]) == sum(matrix[i][i] for i in range(7)) / images and
          "\nloss %.6f," % float(headline[1]) in "\n" + said)

def check_faces(name, root, data):
    """Each picture has the pixels of an image of the data, and its bars sum to one."""
    lines = [line.rstrip("\n").split(",") for line in open(data)][1:]
    pixels = [(int(emotion), bytes(map(int, values.split()))) for emotion, values, usage in lines]
    names = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    for face in (e for e in root.iter("figure") if e.get("class") == "face"):
        image = face.find("img")
        width, height, rows = unpack_png(base64.b64decode(image.get("src").split(",")[1], validate=True))
        number = int(re.match("face ([0-9]+) of the data", image.get("alt")).group(1))
        check(name + ": its pixels", rows == pixels[number][1] and width == height)
        check(name + ": its label", face.find("figcaption/b").text == names[pixels[number][0]])
        parts = [float(bar[1].text.rstrip("%")) for bar in face.find("ol")]
        check(name + ": seven probabilities", len(parts) == 7 and abs(sum(parts) - 100) < 0.5)

def check_settings(name, root, changed):
    """Those that were changed come first, and are marked."""
    rows = [r for r in root.find(".//section[@id='settings']").iter("tr") if r.find("td") is not None]
    marked = [r.find("th").text.strip() for r in rows if r.find("th/span") is not None]
    check(name + ": changed settings", marked == changed and
          [r.get("class") for r in rows] == ["changed"] * len(changed) + [None] * (len(rows) - len(changed)))

def check_pairs(name, root, classes, each):
    """The faces of a class stand together."""
    pairs = [[f.find("figcaption/b").text for f in p.iter("figure")] for p in root.iter("div") if p.get("class") == "pair"]
    check(name + ": pairs", len(pairs) == classes and all(len(set(p)) == 1 and len(p) <= each for p in pairs) and
          len({p[0] for p in pairs}) == classes)

def check_log_page(name, lines, said, *options):
    """The page of a log: its figures, its pits as `fer pits` has them, and what to do next."""
    path = os.path.join(TMP, name)
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    subprocess.run(["./fer", "report", path, *options], check=True, stdout=subprocess.DEVNULL)
    root = check_page(name, open(path.rsplit(".", 1)[0] + "-report.html", encoding="utf-8").read())
    text = " ".join("".join(root.itertext()).split())
    for part in said:
        check("%s: says %s" % (name, part), part in text)
    pits = subprocess.run(["./fer", "pits", path, *options, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True).stdout
    headings = [e.text for e in root.find(".//section[@id='pits']").iter("h3") if e.text.startswith("Epoch")]
    check(name + ": its pits", [int(re.match("Epoch ([0-9]+) \\(line", h).group(1)) for h in headings] ==
          [p["epoch"] for p in json.loads(pits)["pits"]])
    section = root.find(".//section[@id='course']")
    check(name + ": every epoch", len(section.findall(".//tbody/tr")) == sum(bool(re.match("[0-9]", line)) for line in lines))
    return root

def check_picture(names):
    """Several logs, or runs, as one picture: a panel each, and an arrowhead for each pit of that log."""
    subprocess.run(["./fer", "report", *names, "-o", TMP + "/logs.svg"], check=True, stdout=subprocess.DEVNULL)
    svg = "{http://www.w3.org/2000/svg}"
    root = tree.parse(TMP + "/logs.svg").getroot()
    panels = root.findall(svg + "svg")
    check("a panel for each log", root.tag == svg + "svg" and len(panels) == len(names))
    heads = [t.text for t in root.iter(svg + "text") if t.get("class") == "head"]
    check("panels have the logs' names", heads == [re.sub("[.](csv|txt)$", "", os.path.basename(n)) for n in names])
    for name, panel in zip(names, panels):
        log = name + "/log.csv" if os.path.isdir(name) else name
        found = json.loads(subprocess.run(["./fer", "pits", log, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)["pits"]
        marks = [p for p in panel.iter(svg + "path") if p.get("class") == "pit"]
        check("the picture of %s has its pits" % name, len(marks) == len(found))
        rows = sum(line[:1].isdigit() for line in open(log))
        line = [p.get("d") for p in panel.iter(svg + "path") if p.get("class") == "curve validation"]
        check("the picture of %s has every epoch" % name, len(line) == 1 and len(re.findall("[ML][1-9][0-9.]* [0-9.]+", line[0])) == rows)
    check("nothing from elsewhere", "http" not in open(TMP + "/logs.svg").read().replace("http://www.w3.org/2000/svg", ""))

shutil.rmtree(TMP, ignore_errors=True)
os.makedirs(TMP)
rows = open("tests/tiny.csv").read().splitlines()
for fer, epochs in (("./fer", 0), ("./fer", 1), ("./fer", 3), ("./fer64", 2)):
    name = "%s, %d epochs" % (fer, epochs)
    run = os.path.join(TMP, "run%s%d" % (fer[2:], epochs))
    text = make(os.path.basename(run), "tests/tiny.csv", epochs, fer)
    root = check_page(name, text)
    check(name + ": no address", "http" not in text.replace("http-equiv", ""))
    check_evaluation(name, root, fer, run)
    check_faces(name, root, "tests/tiny.csv")
    check_pairs(name, root, len({r.split(",")[0] for r in rows if r.endswith("PublicTest")}), 2)
    check_settings(name, root, ["epochs", "batch", "size"])
    check(name + ": not drawn", "cartoon" not in text)
    if epochs:
        check_log(name, root, run)
        check(name + ": the epoch is found again", "weights of epoch " in text and "of another moment" not in text)

# the same page again, from another folder's name for the same folder
subprocess.run(["./fer", "report", TMP + "/runfer3", "-o", TMP + "/again.html"], env=dict(os.environ, OMP_NUM_THREADS="3"), check=True,
               stdout=subprocess.DEVNULL)
check("the same bytes", open(TMP + "/again.html").read() == open(TMP + "/runfer3/report.html").read())

# no validation images
with open(TMP + "/training.csv", "w") as f:
    f.write("\n".join(r.replace("PublicTest", "Training") for r in rows) + "\n")
root = check_page("no validation", make("training", TMP + "/training.csv", 2))
check_log("no validation", root, TMP + "/training")
check("no validation: says so", "no PublicTest split" in "".join(root.itertext()))

# the command makes the run again, through a shell, whatever the names are
hostile = b"it's $(touch x) `y` & <script>alert('1')<!-- \"\xff\xe2\x80\xae-->.csv"
os.makedirs(TMP.encode() + b"/</title><script>")
path = TMP.encode() + b"/</title><script>/" + hostile
shutil.copy("tests/tiny.csv", path)
run = TMP.encode() + b"/</title><script>/run<b>&amp;"
subprocess.run([b"./fer", b"train", b"--data", path, b"--size", b"48", b"--batch", b"4", b"--epochs", b"1", b"--out", run], check=True,
               stdout=subprocess.DEVNULL)
subprocess.run([b"./fer", b"report", run], check=True, stdout=subprocess.DEVNULL)
root = check_page("hostile names", open(run + b"/report.html", encoding="utf-8").read())
check("hostile names: title", root.find("head/title").text == "run<b>&amp; - fer report" and root.find(".//h1").text == "run<b>&amp;")
shown = path.decode("utf-8", "replace")
settings = {r.find("th").text.strip(): r.find("td/code").text for r in root.find(".//section[@id='settings']").iter("tr") if r.find("td") is not None}
check("hostile names: path", settings["data"] == shown)
command = root.find(".//pre/code").text
check("hostile names: quoted", command.startswith("fer train --data '" + shown.replace("'", "'\\''") + "' --epochs 1"))
command = make("again1", "tests/tiny.csv", 1) and tree.parse(TMP + "/again1/report.html").getroot().find(".//pre/code").text
subprocess.run("RUN=%s/again2; ./%s" % (TMP, command.replace("--out RUN", "--out $RUN")), shell=True, check=True, stdout=subprocess.DEVNULL)
check("the command makes the same run", all(open("%s/again1/%s" % (TMP, f), "rb").read() == open("%s/again2/%s" % (TMP, f), "rb").read()
                                            for f in ("log.csv", "best.npz", "last.npz", "config.txt")))

# logs of other programs
calm = ["%d,%.4f,%.4f" % (i + 1, 0.6 + 0.01 * (i * 7 % 5) / 5, 1.1 + 0.02 * (i % 3)) for i in range(30)]
pit = calm[:12] + ["13,0.2100,7.5"] + calm[13:]
lost = calm[:20] + ["%d,0.1400,nan" % (i + 1) for i in range(20, 30)]
check_log_page("pit.csv", ["epoch,val_accuracy,val_loss"] + pit,
               ["30 validated epochs", "over 500 images, by their last digits", "Epoch 13 (line 14): 21.0", "a pit too", "drop_remainder"])
root = check_log_page("two-runs.txt", ["epoch,val_acc,val_loss"] + pit + lost,
                      ["of 2 runs", "A fall without return: from epoch 21 (line 52) on val_loss is no number",
                       "From epoch 21 on the run is lost"])
curves = [e.get("d") for e in root.iter("path") if e.get("class") == "curve validation" and "M0 0" in e.get("d")]
check("two runs are two curves", [d.count("M") for d in curves] == [3, 3])
check_picture([TMP + "/pit.csv", TMP + "/two-runs.txt", TMP + "/runfer3"])
check_log_page("loss.csv", ["epoch\tval_loss"] + ["%d\t%s" % (i, 80 if i == 9 else 1 + i % 2 / 10) for i in range(20)],
               ["Epoch 9 (line 11): a loss of 80.0000", "Lowest validation loss"])
check_log_page("<b>&.csv", ["epoch,speed"] + ["%d,%.2f" % (i, 0.5 + i / 100) for i in range(4)],
               ["speed over 100 images", "No epoch can be judged yet", "Train longer"], "--column", "speed")
check("the same page by -o", subprocess.run(["./fer", "report", TMP + "/pit.csv", "-o", TMP + "/p.html"],
      stdout=subprocess.DEVNULL).returncode == 0 and open(TMP + "/p.html").read() == open(TMP + "/pit-report.html").read())
subprocess.run(["./fer", "train", "--size", "48", "--batch", "16", "--epochs", "0", "--out", TMP + "/drawn"], check=True, stdout=subprocess.DEVNULL)
subprocess.run(["./fer", "report", TMP + "/drawn"], check=True, stdout=subprocess.DEVNULL)
root = check_page("drawn", open(TMP + "/drawn/report.html", encoding="utf-8").read())
check_pairs("drawn", root, 7, 2)
check("drawn faces are named in the headline", "Drawn cartoon faces, not FER2013." in "".join(root.find(".//header").itertext()))

shutil.rmtree(TMP)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
