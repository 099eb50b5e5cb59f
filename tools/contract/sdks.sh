#!/usr/bin/env bash
# Clients in Go, TypeScript, Python and Java are generated from the contract,
# compiled, and each asks a server with the small program in sdk/.
#
#   sdks.sh [--draft] [FOLDER]    FOLDER takes the clients (default: a temporary one)
#
# With --draft the planned routes of draft.yaml are in the clients too. The server
# is that of ANSWERDESK_URL and ANSWERDESK_KEY (scope full), and without them
# sdk/fake.py. LANGUAGES names some of the four. It needs Go, Node 20, Python 3.11,
# Java 17 and Maven.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

draft=()
if [ "${1:-}" = --draft ]; then
	draft=("$here/draft.yaml")
	shift
fi
to=${1:-$(mktemp -d)}
mkdir -p "$to"
to=$(cd "$to" && pwd)
case $to/ in "$root"/*) fail "the clients do not belong into the checkout: name another folder" ;; esac
languages=${LANGUAGES:-go typescript python java}

# Go: as packages api and raw of client are made, in a module of its own.
generate_go() {
	need go
	mkdir -p "$to/go/api"
	sed "s|^output:.*|output: $to/go/api/api.gen.go|; s|models: true|&\n  client: true|; s|path: .*|path: $here/overlay.client.yaml|" \
		"$root/client/api/oapi-codegen.yaml" >"$to/go/oapi-codegen.yaml"
	(cd "$root" && go tool oapi-codegen -config "$to/go/oapi-codegen.yaml" "$to/openapi.json")
	cp "$here/sdk/program.go" "$to/go/main.go"
	sed -i '/^\/\/go:build ignore$/d' "$to/go/main.go"
	cp "$root/go.mod" "$root/go.sum" "$to/go/"
	(cd "$to/go" && go mod edit -module=example.com/sdk && go vet -mod=mod ./... && go build -mod=mod -o program .)
}
run_go() { "$to/go/program"; }

generate_typescript() {
	local bin
	need node
	bin=$(node_tools "${typescript[@]}")
	"$bin/openapi-ts" -i "$to/openapi.json" -o "$to/typescript/client" -c @hey-api/client-fetch >"$to/typescript.log"
	cp "$here/sdk/program.ts" "$to/typescript/"
	cat >"$to/typescript/tsconfig.json" <<-JSON
		{
		  "compilerOptions": {
		    "strict": true, "target": "es2022", "module": "commonjs", "moduleResolution": "node10",
		    "lib": ["es2022", "dom", "dom.iterable"], "types": ["node"], "typeRoots": ["$bin/../@types"], "outDir": "out"
		  },
		  "include": ["**/*.ts"]
		}
	JSON
	"$bin/tsc" -p "$to/typescript"
}
run_typescript() { node "$to/typescript/out/program.js"; }

generate_python() {
	local bin
	bin=$(python_tools "${python[@]}")
	PATH="$bin:$PATH" "$bin/openapi-python-client" generate --path "$to/openapi.json" --output-path "$to/python/answerdesk_client" \
		--meta none --overwrite >"$to/python.log" 2>&1 || fail "$(cat "$to/python.log")"
	# The document about itself is YAML, which the generator does not know: the only thing that it may leave out.
	[ "$(grep -c '^WARNING' "$to/python.log")" = "$(grep -c '^WARNING parsing GET /openapi.yaml ' "$to/python.log")" ] || fail "$(cat "$to/python.log")"
	cp "$here/sdk/program.py" "$to/python/"
	# The generator's own client.py does not fit the types of its HTTP library.
	printf '[mypy]\nstrict = true\n[mypy-answerdesk_client.client]\nignore_errors = true\n' >"$to/python/mypy.ini"
	(cd "$to/python" && "$bin/mypy" --no-error-summary answerdesk_client program.py)
}
run_python() { "$(python_tools "${python[@]}")/python" "$to/python/program.py"; }

# Java: without disallowAdditionalPropertiesIfNotPresent=false the client refuses fields
# that are added later, and without containerDefaultToNull it sends lists and maps that
# nobody has set, empty, also those that an older server does not know. The library okhttp-gson can read a stream while it comes; native
# takes its text for JSON.
generate_java() {
	need java javac mvn
	java -jar "$(java_generator)" generate -i "$to/openapi.json" -g java --library okhttp-gson -o "$to/java" \
		--additional-properties=disallowAdditionalPropertiesIfNotPresent=false,containerDefaultToNull=true,hideGenerationTimestamp=true \
		--additional-properties=invokerPackage=com.example.sdk,apiPackage=com.example.sdk.api,modelPackage=com.example.sdk.model \
		--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false >"$to/java.log" 2>&1 || fail "$(cat "$to/java.log")"
	cp "$here/sdk/Program.java" "$to/java/src/main/java/com/example/sdk/"
	(cd "$to/java" && mvn -B -DskipTests compile org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \
		-Dmdep.outputFile=classpath -DincludeScope=runtime) >"$to/maven.log" 2>&1 || fail "$(cat "$to/maven.log")"
}
run_java() { java -cp "$to/java/target/classes:$(cat "$to/java/classpath")" com.example.sdk.Program; }

# --- all of them ---

document "$to/openapi.json" "${draft[@]}"
if [ -z "${ANSWERDESK_URL:-}" ]; then
	say "a fake server stands in: no ANSWERDESK_URL"
	export ANSWERDESK_KEY=ak_fake
	python3 "$here/sdk/fake.py" "$ANSWERDESK_KEY" >"$to/fake.url" 2>"$to/fake.log" &
	fake=$!
	trap 'kill $fake' EXIT
	for _ in $(seq 600); do [ -s "$to/fake.url" ] && break || sleep 0.1; done
	ANSWERDESK_URL=$(cat "$to/fake.url")
	export ANSWERDESK_URL
fi

bad=()
passed=0
for language in $languages; do
	begun=$SECONDS
	say "$language"
	if ("generate_$language" && "run_$language"); then
		passed=$((passed + 1))
		say "$language: generated, compiled and answered in $((SECONDS - begun)) s"
	else
		bad+=("$language")
		say "$language: failed"
	fi
done
echo "clients in $to"
echo "$passed passed, ${#bad[@]} failed"
[ ${#bad[@]} -eq 0 ]
