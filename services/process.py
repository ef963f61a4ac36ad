"""How every process begins and ends; the web's, which lives beside the screens, does too."""

from lib.bootstrap import last_line as last_line
from lib.bootstrap import prepare_logs as prepare_logs
from lib.bootstrap import run_process as run_process
