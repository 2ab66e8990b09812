#!/usr/bin/env bash
# Installs the embedded DynamoDB-compatible engine for this machine.
#
#   tools/install-engine.sh FILE
#
# FILE is replaced in one step once the new binary has started. On Linux x64 the
# version and the checksum come from engine/package-lock.json; other platforms take the
# same version, checked by npm against what the registry publishes.
set -euo pipefail

target=${1:?usage: install.sh FILE}
here=$(cd "$(dirname "$0")/engine" && pwd)
mkdir -p "$(dirname "$target")"
target=$(cd "$(dirname "$target")" && pwd)/$(basename "$target")

unavailable() {
  cat >&2 <<EOF
The embedded DynamoDB engine cannot be installed here: $1.
Point Easel at another DynamoDB instead, such as DynamoDB Local:
  AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 make run
or put an engine you built yourself at $target.
EOF
  exit 1
}

case "$(uname -s)" in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) unavailable "there is no build for $(uname -s)" ;;
esac
case "$(uname -m)" in
  x86_64 | amd64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) unavailable "there is no build for $(uname -m)" ;;
esac
command -v npm >/dev/null || unavailable "npm (it comes with Node) is missing"

package=@dynoxide/$os-$arch
scratch=$(mktemp -d "${TMPDIR:-/tmp}/easel-engine.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$scratch/"

# npm reads .npmrc from the folder it runs in.
cd "$scratch"
if [ "$os-$arch" = linux-x64 ]; then
  npm ci --ignore-scripts >npm.log 2>&1 || { cat npm.log >&2; unavailable "npm could not fetch $package"; }
else
  version=$(node -p 'require("./package.json").optionalDependencies["@dynoxide/linux-x64"]')
  rm package.json package-lock.json
  npm install --no-save --ignore-scripts "$package@$version" >npm.log 2>&1 ||
    { cat npm.log >&2; unavailable "npm could not fetch $package@$version"; }
fi

binary=node_modules/$package/dynoxide
[ -f "$binary" ] || unavailable "$package was not installed"
chmod 755 "$binary"
version=$("$binary" --version) || unavailable "$package does not run on this machine"

# A running engine keeps its file: copy beside it, then rename over it.
cp "$binary" "$target.new.$$"
mv -f "$target.new.$$" "$target"
echo "installed $version at $target"
