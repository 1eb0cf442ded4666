#!/usr/bin/env python3
"""The service of examples/hosts as programs and attackers meet it: answers, refusals, hostile data, many at once, its end.

usage: hosts_service.py SERVICE WORK_DIRECTORY"""
import concurrent.futures
import csv
import http.client
import json
import pathlib
import re
import signal
import subprocess
import sys
import urllib.parse

service, work = sys.argv[1], pathlib.Path(sys.argv[2])
failed = []


def check(ok, what):
    if not ok:
        failed.append(what)
        print(f"FAILED: {what}", file=sys.stderr)


class running:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([service, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        found = re.search(r"listening at http://127\.0\.0\.1:(\d+)/", said)
        if not found:
            sys.exit(f"FAILED: the service said {said!r} {self.process.stderr.read()!r}")
        self.port = int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(timeout=30) == 0, "SIGTERM ends the service with 0")

    def ask(self, path, method="GET", headers={}, body=None):
        """The path goes out as it is: status, headers, body."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                line.putheader(name, value)
            line.endheaders(body)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    def json(self, path):
        status, headers, body = self.ask(path)
        check(headers["Content-Type"] == "application/json", f"{path} is JSON")
        return status, json.loads(body)


def customer(id):
    return "/api/customers/" + urllib.parse.quote(id, safe="")


with running() as generated:
    status, page = generated.ask("/")[0], generated.ask("/")[2].decode()
    check(status == 200 and "<h1>" in page and 'lang="en"' in page, "the page")
    for path in ("/", "/app.js", "/style.css", "/api/health", "/none"):
        headers = generated.ask(path)[1]
        check("default-src 'none'" in headers["Content-Security-Policy"] and headers["X-Content-Type-Options"] == "nosniff",
              f"{path}: headers that forbid foreign scripts")
    everything = page + generated.ask("/app.js")[2].decode() + generated.ask("/style.css")[2].decode()
    check(not re.search(r"https?://|@import|url\(", everything), "the page loads nothing from elsewhere")
    check("innerHTML" not in everything and "document.write" not in everything, "the page makes no markup of texts")

    status, found = generated.json("/api/customers")
    ids = [one["id"] for one in found["customers"]]
    risks = [one["risk"] for one in found["customers"]]
    check(status == 200 and found["of"] > 100 and len(ids) == 50 and risks == sorted(risks, reverse=True), "customers, the highest risk first")
    check([one["id"] for one in generated.json("/api/customers?find=" + ids[3])[1]["customers"]] == [ids[3]], "a customer is found by their id")
    check(generated.json("/api/customers?find=%27%20OR%201%3D1")[1]["customers"] == [], "nobody is found by another word")
    alone = {}
    for id in ids[:24]:
        status, about = generated.json(customer(id))
        alone[id] = about
        check(status == 200 and about["id"] == id and 0 <= about["risk"]["probability"] <= 1 and about["risk"]["reasons"] and len(about["offers"]) == 5
              and about["next"]["action"] == max(about["next"]["actions"], key=lambda action: action["adds"])["name"], f"all about {id}")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = ids[:24] * 10
        answers = [answer[1] for answer in pool.map(lambda id: generated.json(customer(id)), asked)]
        check(answers == [alone[id] for id in asked], "many at once get the same answers")

    # ---- refusals
    for path in ("/api/customers/none", "/api/customers/%00", "/api/customers/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/api/customers/../../etc/passwd",
                 "/api/customers/..%2f..%2f..%2fetc%2fpasswd", "/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd",
                 "/app.js/../service.cpp", "/api/", "/%ff%fe",
                 "/api/customers/" + "A" * 5000):
        status, headers, body = generated.ask(path)
        check(status == 404 and headers["Content-Type"] == "application/json" and set(json.loads(body)) == {"error", "message"}, f"404 for {path[:60]}")
        check(b"script" not in body and b"root:" not in body, f"{path[:60]} is not repeated")
    check(json.loads(generated.ask("/api/customers/none")[2])["error"] == "unknown_id", "an unknown customer is told from an unknown path")
    for method in ("POST", "PUT", "DELETE", "BREW"):
        check(generated.ask("/api/customers", method)[0] in (400, 404), f"{method} is refused")
    check(generated.ask("/" + "x" * 20000)[0] == 414, "a path too long")
    check(generated.ask("/api/customers", "POST", {"Content-Length": str(10**12)}, b"x")[0] in (400, 413), "a body too long")
    second = subprocess.run([service, "--port", str(generated.port)], capture_output=True, text=True, timeout=60)
    check(second.returncode == 1 and "is the port taken? (io)" in second.stderr, f"a second service at the same port is refused, got {second}")
    check(generated.json("/api/health")[0] == 200, "the service still answers")

# ---- data that would be markup, a path or a formula ----------------------------------------------------------------------
hostile = ["<script>window.owned=1</script>", '"><img src=x onerror="window.owned=1">', "../../etc/passwd", "a/b?c#d%20e",
           "{{1+1}}", "O'Brien & S\u00f8n", "\u202eabc", "</style><b>"]
with open(work / "hostile.csv", "w", newline="", encoding="utf-8") as file:
    out = csv.writer(file)
    out.writerow(["invoice", "stock_code", "description", "quantity", "invoice_date", "price", "customer_id"])
    for i in range(900):
        day = i * 300 // 900
        who = i * 7 % 40 if day < 200 else i * 7 % 20  # half of them do not come back
        name = hostile[who] if who < len(hostile) else f"customer {who}"
        item = (i * 5 + who) % 60
        text = f"{hostile[item]} {item}" if item < len(hostile) else f"cup {item}"
        out.writerow([600000 + i, f"P{item:02}", text, 1 + i % 3, f"2010-{day // 28 + 1:02}-{day % 28 + 1:02} 10:00:00", f"{1 + i % 5}.50", name])
with running("--data", str(work / "hostile.csv")) as bad:
    for id in hostile:
        status, about = bad.json(customer(id))
        check(status == 200 and about["id"] == id, f"the customer called {id!r} is found and comes back as it is")
        check(about["offers"], f"offers for {id!r}")
for arguments in (["--data", str(work / "none.csv")], ["--data", __file__], ["--address", "203.0.113.1"]):
    ended = subprocess.run([service, "--port", "0", *arguments], capture_output=True, text=True, timeout=60)
    check(ended.returncode == 1 and re.match(r"service: .+ \([a-z_]+\)\n", ended.stderr),
          f"{arguments}: a typed error, got {ended.returncode} {ended.stderr!r}")
print(f"service: {'failed' if failed else 'answers, refusals, hostile data, eight at once'}")
sys.exit(1 if failed else 0)
