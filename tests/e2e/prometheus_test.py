"""Debian's prometheus scrapes a running fleet with our configuration and finds data for every query of every panel."""

import json
import re
import subprocess
import tempfile
import pathlib
import unittest
import urllib.parse
import urllib.request

from fleet import BUILD, SOURCE, Fleet, Process, example_domains, small_domain, wait_until

PROMETHEUS = BUILD / "prometheus/usr/bin/prometheus"
DASHBOARDS = sorted((SOURCE / "deploy/grafana/dashboards").glob("*.json"))


def queries():
    for dashboard in DASHBOARDS:
        for panel in json.loads(dashboard.read_text())["panels"]:
            for target in panel["targets"]:
                yield panel["title"], target["expr"]


class PrometheusTest(unittest.TestCase):
    def start_prometheus(self, fleet, worker_http):
        """Ours, with the ports of this fleet and a scrape every second."""
        config = (SOURCE / "deploy/prometheus/prometheus.yml").read_text()
        config = config.replace("127.0.0.1:7109", fleet.http).replace("127.0.0.1:7110", worker_http)
        config = re.sub(r"scrape_interval: \S+", "scrape_interval: 1s", config)
        path = fleet.root / "prometheus.yml"
        path.write_text(config)
        log = fleet.root / "prometheus.log"
        process = Process([PROMETHEUS, f"--config.file={path}", f"--storage.tsdb.path={fleet.root}/tsdb",
                           "--web.listen-address=127.0.0.1:0", "--log.level=info"], log)
        self.addCleanup(process.stop)
        found = wait_until(lambda: re.search(r'address=(127\.0\.0\.1:[1-9]\d*)', log.read_text()), 30, "prometheus")
        return found.group(1)

    def ask(self, address, query):
        url = f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            return json.loads(urllib.request.urlopen(url, timeout=10).read())["data"]["result"]
        except OSError:
            return []

    def test_every_panel_has_data_while_a_job_runs(self):
        http = "127.0.0.1:0"
        with Fleet(worker_words=["--http", http]) as fleet:
            wait_until(lambda: fleet.ask("workers"), 30, "the worker")
            listening = (fleet.root / "worker1.log").read_text()
            worker_http = re.search(r"127\.0\.0\.1:\d+/metrics", listening).group(0).split("/")[0]
            prometheus = self.start_prometheus(fleet, worker_http)
            quick = small_domain(fleet.root, "quick", example_domains(1)[0])
            fleet.ctl("submit", "--wait", quick)
            endless = small_domain(fleet.root, "endless", example_domains(1)[0],
                                   training={"max_steps": 100000, "eval_steps": 10})
            fleet.ctl("submit", endless)
            for title, query in queries():
                with self.subTest(panel=title, query=query):
                    result = wait_until(lambda: self.ask(prometheus, query), 30, f"data for {query}")
                    values = [float(series["value"][1]) for series in result]
                    self.assertFalse(any(value != value for value in values), f"NaN in {values}")
            for target in ("mozgach-scheduler", "mozgach-worker"):
                wait_until(lambda: [1 for up in self.ask(prometheus, f'up{{job="{target}"}}')
                                    if up["value"][1] == "1"], 30, f"{target} to be scraped")
            fleet.ctl("cancel", "endless")
            wait_until(lambda: fleet.jobs()["endless"]["state"] == "cancelled", 30, "the cancel")
            wait_until(lambda: not self.ask(prometheus, 'mozgach_job_step{domain="endless"}'), 30,
                       "the series of the job to go")


if __name__ == "__main__":
    unittest.main(verbosity=2)
