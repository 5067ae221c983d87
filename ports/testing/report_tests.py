"""Runs the unittest tests of a folder and prints one JSON line for each: {"name", "status", "detail"}.

    python3 report_tests.py FOLDER

status is passed, failed or skipped. A test passes if all of its subtests do.
"""

import json
import sys
import unittest
from pathlib import Path


class Report(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.found = ("passed", "")

    def addError(self, test, error):
        super().addError(test, error)
        self.found = ("failed", self.errors[-1][1])

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.found = ("failed", self.failures[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.found = ("failed", f"{subtest}\n{self._exc_info_to_string(error, test)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.found = ("skipped", reason)

    def stopTest(self, test):
        super().stopTest(test)
        status, detail = self.found
        # The name of the method is the fact that it tests.
        name = test.id().rsplit(".", 1)[-1].removeprefix("test_").replace("_", " ")
        print(json.dumps({"name": name, "status": status, "detail": detail}), flush=True)


sys.path[:0] = [sys.argv[1], str(Path(__file__).parent)]
unittest.TestLoader().discover(sys.argv[1]).run(Report())
