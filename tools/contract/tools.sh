# What the scripts beside this one share: where their tools come from, in which
# versions, and where they are kept. It is sourced, not run.
#
# Tools are installed once, by the ordinary clients of npm, pip and Maven, into
# $ANSWERDESK_TOOLS (default: answerdesk-tools in the user's cache folder), in a
# folder each whose name has their versions.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${ANSWERDESK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/answerdesk-tools}
export PATH="$PATH:/usr/local/go/bin" GOWORK=off

# The newest openapi-ts and redocly want a newer Node than 20.19; openapi-ts does not
# run with TypeScript 7.
redocly=(@redocly/cli@2.77.0)
typescript=(@hey-api/openapi-ts@0.95.0 typescript@5.9.3 @types/node@20.19.25)
yaml=(PyYAML==6.0.3)
python=(openapi-python-client==0.29.1 mypy==2.4.1 PyYAML==6.0.3)
schemathesis=(schemathesis==4.32.5)
java=7.25.0 # of openapi-generator
oasdiff=v1.32.0

say() { echo "== $*" >&2; }

fail() { printf '%s\n' "$@" >&2; exit 1; }

# need says what is missing before anything is begun.
need() {
	local tool
	for tool; do command -v "$tool" >/dev/null || fail "$tool is needed and not installed"; done
}

# folder names where a set of packages is kept.
folder() { echo "$cache/$1-$(printf '%s\n' "${@:2}" | sha256sum | cut -c1-12)"; }

# node_tools installs npm packages and prints the folder of their programs.
node_tools() {
	local to
	to=$(folder npm "$@")
	if [ ! -f "$to/installed" ]; then
		need npm
		mkdir -p "$to"
		(cd "$to" && echo '{"private": true}' >package.json && npm install --silent --no-audit --no-fund --save-exact "$@" >&2)
		touch "$to/installed"
	fi
	echo "$to/node_modules/.bin"
}

# python_tools installs Python packages and prints the folder of their programs.
python_tools() {
	local to
	to=$(folder python "$@")
	if [ ! -f "$to/installed" ]; then
		need python3
		python3 -m venv "$to"
		"$to/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
		touch "$to/installed"
	fi
	echo "$to/bin"
}

# java_generator fetches openapi-generator and prints where it is.
java_generator() {
	local jar="$cache/openapi-generator-cli-$java.jar"
	if [ ! -f "$jar" ]; then
		need mvn
		mkdir -p "$cache"
		mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
			-Dartifact="org.openapitools:openapi-generator-cli:$java" -DoutputDirectory="$cache" >&2
	fi
	echo "$jar"
}

# document writes the contract to a file as JSON; with a draft, what it will become.
document() {
	"$(python_tools "${yaml[@]}")/python" "$here/merge.py" "$root/openapi.yaml" "${@:2}" >"$1"
}
