"""
Candle files for a replay: opened, read by rule and checked against the instrument they are replayed as.

*Halt* with one line that names file, place and reason is the only way this fails.
"""

from pathlib import Path

from lib.adapters.unpacking import text_of
from lib.domain.errors import Halt
from lib.domain.instrument import Instrument
from lib.market.files.candle_file import CandleFile, read_text
from lib.market.files.fit import fitted
from lib.market.files.table import CandleFileError


def read_candles(path: Path, instrument: Instrument) -> CandleFile:
    """The candles of *instrument* in the file at *path*."""
    try:
        return fitted(read_text(text_of(path)), instrument)
    except CandleFileError as problem:
        reason = str(problem)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or type(error).__name__}"
    except ValueError as problem:
        reason = str(problem)
    raise Halt(f"candle file {path}: {reason}".replace("\n", " ")) from None
