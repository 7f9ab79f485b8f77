no spec
