# a﻿b # ERROR: hidden-character
