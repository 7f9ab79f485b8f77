"""Has IfState read many configurations in one process: what it does before it touches a link.

For each file that it refuses a line of JSON says which and why. The patterns of names to ignore
are compiled as well; IfState itself does that when it compares links.
"""

import json
import logging
import re
import sys

from ifstate.ifstate import IfsConfigHandler
from libifstate.log import logger


class Said(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


said = []
logger.addHandler(Said())
for file in sys.argv[1:]:
    said.clear()
    try:
        handler = IfsConfigHandler(file, False)
        for pattern in handler.ifs.ignore.get("ifname", []):
            re.compile(pattern)
    except Exception as error:
        print(json.dumps({"file": file, "why": "\n".join([repr(error)] + said)}))
