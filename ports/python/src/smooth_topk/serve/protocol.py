"""The port protocol, for ports in Python: JSON lines on standard input and output, one answer per request, in order.

    serve([smooth_topk_loss, log_esp], ("float64", "float32"), name="my port")

Each function goes by its name. It is called with the request's dtype and its input as keyword arguments, arrays as
nested lists of floats, and returns its output as nested lists, or raises ValueError to refuse. "describe" is answered
with the names of the functions and the dtypes. The protocol is written down in docs/porting.md.
"""

import json
import math
import sys

from smooth_topk import __version__

_DEFAULTS = {
    "smooth_topk_loss": {"scores": None, "labels": None, "k": 5, "tau": 1, "alpha": 1},
    "topk_loss": {"scores": None, "labels": None, "k": 5, "alpha": 1},
    "log_esp": {"x": None, "k": None},
    "log_esp_hvp": {"x": None, "k": None, "v": None},
}
_NON_FINITE = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def serve(functions, dtypes, lines=sys.stdin, out=sys.stdout, name="", version=__version__):
    """Answers every line of `lines` on `out`, garbage too, until the end of the input.

    `name` and `version` are what the port says of itself.
    """
    functions = {function.__name__: function for function in functions}
    description = {"name": name, "version": version, "language": "Python"}
    description.update(functions=list(functions), dtypes=list(dtypes))
    for line in lines:
        if line.strip():
            print(_answer(line, functions, dtypes, description), file=out, flush=True)


def rows_or_empty(rows):
    """Rows of NaN, which have no k-subset, as the protocol has them: empty."""
    return [[] if any(value != value for value in row) else row for row in rows]


def _answer(line, functions, dtypes, description):
    request_id, name = None, None
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("the request is not a JSON object")
        request_id = request.get("id")
        name, dtype, given = request.get("function"), request.get("dtype", "float64"), request.get("input")
        if name == "describe":
            return json.dumps({"id": request_id, "output": description})
        if name not in functions:
            raise ValueError(f"function is {_shown(name)}, expected one of {', '.join(functions)}")
        if dtype not in dtypes:
            raise ValueError(f"dtype is {_shown(dtype)}, expected {' or '.join(dtypes)}")
        if not isinstance(given, dict):
            raise ValueError(f"input is {_shown(given)}, expected an object")
        values = {argument: given.get(argument, default) for argument, default in _DEFAULTS[name].items()}
        for argument, value in values.items():
            if argument == "labels":
                values[argument] = _labels(value)
            else:
                read = _matrix if argument in ("scores", "x", "v") else _number
                values[argument] = read(value, argument)
        return json.dumps({"id": request_id, "output": _encode(functions[name](dtype=dtype, **values))})
    except Exception as error:
        # The library's messages begin with the function's name, which means nothing in another language.
        message = str(error).removeprefix(f"{name}: ") if isinstance(error, ValueError) else repr(error)
        return json.dumps({"id": request_id, "error": message})


def _shown(value):
    return "missing" if value is None else json.dumps(value)[:60]


def _number(value, name):
    if isinstance(value, str) and value in _NON_FINITE:
        return _NON_FINITE[value]
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f"{name} is {_shown(value)}, expected a number")
    return value


def _matrix(value, name):
    if not isinstance(value, list):
        raise ValueError(f"{name} is {_shown(value)}, expected an array of rows")
    for b, row in enumerate(value):
        if not isinstance(row, list):
            raise ValueError(f"{name}[{b}] is {_shown(row)}, expected an array of numbers")
        if len(row) != len(value[0]):
            raise ValueError(f"{name}[{b}] has length {len(row)}, expected the length of row 0, {len(value[0])}")
    return [[float(_number(entry, f"{name}[{b}][{i}]")) for i, entry in enumerate(row)] for b, row in enumerate(value)]


def _labels(value):
    if not isinstance(value, list):
        raise ValueError(f"labels is {_shown(value)}, expected an array of integers")
    for b, label in enumerate(value):
        if not isinstance(label, (int, float)) or isinstance(label, bool):
            raise ValueError(f"labels[{b}] is {_shown(label)}, expected an integer")
    return value


def _encode(value):
    if isinstance(value, dict):
        return {key: _encode(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_encode(entry) for entry in value]
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
