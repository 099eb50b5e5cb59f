#!/usr/bin/env bash
# Brings the files that render /docs up to the version named here, and says if
# they are not as they should be:
#
#   bash tools/docs-renderer.sh          writes server/assets/swagger-ui
#   bash tools/docs-renderer.sh check    compares it with what would be written
#
# To update, set version and sum, run it, and run the test that looks at the page
# in a browser: go test ./server -run Docs. It needs npm, which runs nothing of the
# package, and gzip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=5.35.0
sum=1b8e891893404ea4c3558b6a87e2a3e494e7eedba41168c2ece5800a391a6ea6 # sha256 of the package as npm packs it
to=server/assets/swagger-ui
packed=(swagger-ui-bundle.js swagger-ui.css) # what the page loads

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && npm pack --silent "swagger-ui-dist@$version" >/dev/null)
tarball=$scratch/swagger-ui-dist-$version.tgz
sha256sum --check --quiet <<<"$sum  $tarball"
tar -xzf "$tarball" -C "$scratch"
mkdir "$scratch/new"
for file in "${packed[@]}"; do
	# The maps that the last lines point to are not served.
	sed '/sourceMappingURL=/d' "$scratch/package/$file" | gzip -9n >"$scratch/new/$file.gz"
done
# What stands under which licence, the parts of the bundle included.
{
	echo "Swagger UI $version (npm package swagger-ui-dist)"
	cat "$scratch/package/NOTICE"
	printf '\n'
	cat "$scratch/package/LICENSE"
	printf '\n\nParts of swagger-ui-bundle.js:\n\n'
	cat "$scratch/package/swagger-ui-bundle.js.LICENSE.txt"
} | gzip -9n >"$scratch/new/LICENSE.txt.gz"

if [ "${1:-}" = check ]; then
	# gzip differs from one machine to another: what it packs must not.
	for file in "$scratch"/new/*.gz; do
		cmp <(gzip -dc "$file") <(gzip -dc "$to/$(basename "$file")")
	done
	exit
fi
mkdir -p "$to"
cp "$scratch"/new/*.gz "$to/"
wc -c "$to"/*.gz
