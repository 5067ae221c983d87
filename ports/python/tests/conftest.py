"""Leaves out the tests of frameworks that are not installed. With --json-lines=FILE, writes one JSON object
{"name", "status", "detail"} per test there, for `npm test`."""

import json
from importlib.util import find_spec

collect_ignore_glob = [f"test_{module}*.py" for module in ("numpy", "torch", "jax") if find_spec(module) is None]


def pytest_addoption(parser):
    parser.addoption("--json-lines", help="file to write one JSON object per test to")


def pytest_configure(config):
    path = config.getoption("--json-lines")
    if path:
        config.pluginmanager.register(JsonLines(path))


class JsonLines:
    def __init__(self, path):
        self.path = path

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(report.nodeid, "failed", report.longreprtext)

    def pytest_runtest_logreport(self, report):
        # A test is what its call did, unless it was skipped or fell in its fixtures.
        if report.when == "call" or report.outcome != "passed":
            detail = str(report.longrepr[2]) if report.skipped and report.longrepr else report.longreprtext
            self.write(report.nodeid, report.outcome, detail)

    def write(self, nodeid, status, detail):
        # The name of the function is the fact that it tests.
        name = nodeid.rsplit("::", 1)[-1].removeprefix("test_").replace("_", " ")
        with open(self.path, "a") as file:
            print(json.dumps({"name": name, "status": status, "detail": detail}), file=file)
