"""`python -m lgp` is `lgp`."""

import sys

from lgp.main import main

sys.exit(main())
