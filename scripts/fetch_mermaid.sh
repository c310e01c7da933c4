#!/bin/sh
# Bring what draws the diagrams into FOLDER, so that the site draws them without a network. Without npm it goes without.
#
#   fetch_mermaid.sh FOLDER
set -eu
cd "$1"
npm pack --silent mermaid@11.17.2 >/dev/null
tar -xzf mermaid-11.17.2.tgz --strip-components=2 package/dist/mermaid.min.js
rm mermaid-11.17.2.tgz
