// Command polder is the whole of Polder: a node, and the commands that work with it or without one.
package main

import (
	"os"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/node"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, node.Commands()...)) }
