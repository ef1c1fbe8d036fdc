"""run_conventions.py - measures what libraries compute and writes model/check/CONVENTIONS.md (make conventions).

    python3 tests/engines/run_conventions.py             every row; those that cannot be had or run keep what they were
    python3 tests/engines/run_conventions.py pytorch ncnn

environments.py says what a row is and where packages go."""
import os
import sys
from environments import HERE, TROUBLE, folder, rows, told

TABLE = os.path.join(HERE, "..", "..", "model", "check", "CONVENTIONS.md")
TABLES = {"windows": "Windows", "normalization": "BatchNormalization", "arithmetic": "Activations and arithmetic",
          "optimizer": "Adam"}


def write(new):
    """Puts a library's row into each table, in the place of its old one."""
    with open(TABLE) as file:
        text = file.read()
    none = []
    for table, title in TABLES.items():
        columns = {key: words for key, (where, words) in new["columns"].items() if where == table}
        begin = text.index("\n| library", text.index("## %s\n" % title)) + 1
        end = text.index("\n\n", begin)
        lines = {line.split(" | ")[0]: line for line in text[begin:end].splitlines()[2:]}
        name, cells = "| " + new["name"], [new["cells"][key] for key in columns]
        lines.pop(name, None)
        if not all(cell.startswith("—") for cell in cells):
            lines[name] = " | ".join([name, new["version"]] + cells) + " |"
        heads = ["library", "version"] + list(columns.values())
        for line in lines.values():
            cells = line.strip("| ").split(" | ")
            none += ["| %s | %s | %s |" % (cells[0], h, c) for h, c in zip(heads, cells) if "none: " in c]
        rows = sorted(lines.values(), key=str.lower)
        text = text[:begin] + "\n".join(["| %s |" % " | ".join(heads), "|" + "---|" * len(heads)] + rows) + text[end:]
    begin = text.index("\n| library", text.index("## What no option expresses\n")) + 1
    end = text.index("\n\n", begin)
    text = text[:begin] + "\n".join(["| library | what | seen |", "|---|---|---|"] + sorted(none, key=str.lower)) + text[end:]
    with open(TABLE, "w") as file:
        file.write(text)


def main(chosen):
    measured = skipped = 0
    with folder() as within:
        for name, path, settings, packages in rows("conventions", chosen):
            try:
                row = told(path, settings, packages, within)
                write(row)
                print("%s: %s %s" % (name, row["name"], row["version"]), flush=True)
                measured += 1
            except TROUBLE as error:
                print("%s: skipped: %s" % (name, str(error).splitlines()[0][-120:]), flush=True)
                skipped += 1
    print("%d rows measured, %d skipped" % (measured, skipped))


if __name__ == "__main__":
    main(sys.argv[1:])
