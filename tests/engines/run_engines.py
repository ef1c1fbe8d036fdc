"""run_engines.py - real engines run networks, and `fer64 verify` judges what they show (make engines).

    python3 tests/engines/run_engines.py                     all rows of inference/ and training/
    python3 tests/engines/run_engines.py openvino ncnn

A row runs each network of its setting NETWORKS. Nothing of a sound engine may be WRONG, suspect or MISTRUSTED; what is weak
is told. With KEEP=FOLDER what they show of `small` is written there (tests/vectors/engines). environments.py says what a row
is; one whose packages cannot be had is skipped."""
import sys
from environments import TROUBLE, folder, rows, told


def main(chosen):
    passed = failed = skipped = 0
    print("%-28s %-12s %-13s %7s %6s  %s" % ("engine", "version", "network", "checked", "likely", "verdict; options"))
    with folder() as within:
        for where in ("inference", "training"):
            for name, path, settings, packages in rows(where, chosen):
                for network in settings["NETWORKS"].split(","):
                    try:
                        seen = told(path, dict(settings, NETWORK=network, ROW=name), packages, within)
                    except TROUBLE as error:
                        why = str(error).splitlines()[0][-100:]
                        print("%-28s %-12s %-13s skipped: %s" % (name, "", network, why), flush=True)
                        skipped += 1
                        continue
                    words = ", ".join(seen["fault"][:2]) or "ok"
                    words += " (weak: %s)" % ", ".join(seen["weak"]) if seen["weak"] else ""
                    print("%-28s %-12s %-13s %7d %6.2f  %s; %s" % (seen["engine"], seen["version"], network, seen["checked"],
                                                                   seen["likely"], words, seen["options"]), flush=True)
                    sound = seen["status"] == 0 and seen["checked"] > 0
                    passed, failed = passed + sound, failed + (not sound)
    if skipped:
        print("%d skipped" % skipped)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
