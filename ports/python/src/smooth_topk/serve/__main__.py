"""Serves a module by the port protocol on standard input and output:

    python3 -m smooth_topk.serve numpy
    python3 -m smooth_topk.serve torch [DEVICE]
    python3 -m smooth_topk.serve jax
"""

import sys
from importlib import import_module

MODULES = ("numpy", "torch", "jax")


def main(arguments):
    if not arguments or arguments[0] not in MODULES:
        given = arguments[0] if arguments else "missing"
        sys.exit(f"smooth_topk.serve: module is {given}, expected {', '.join(MODULES)}")
    module, rest = arguments[0], arguments[1:]
    if len(rest) > (module == "torch"):
        sys.exit(f"smooth_topk.serve: unexpected argument {rest[-1]}")
    import_module(f"smooth_topk.serve.{module}").main(*rest)


main(sys.argv[1:])
