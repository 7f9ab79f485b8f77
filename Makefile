# What one types; what it does is in .ci/test, which CI calls without make.

.PHONY: all build gen site setup test lint unit fuzz bench mutate
all: build

build:
	CGO_ENABLED=0 go build -tags urfave_cli_no_docs -trimpath -o nbr ./cmd/nbr

gen:
	go run ./cmd/nbr gen -o out testdata/routers/bpi-r4

site:
	go run ./site/build

setup:
	.ci/setup

test: setup
	.ci/test

unit fuzz: setup
	.ci/test $@

lint bench mutate:
	.ci/test $@
