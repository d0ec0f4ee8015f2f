#!/bin/sh
# Registers the client that a JSON file describes, or brings its registration up to date: once in each run of a pipeline.
#
#   ISSUER=https://id.example CLIENT_ID=… CLIENT_SECRET=… ./register.sh [client.json [registration.env]]
#
# It prints the client_id and nothing else on standard output. RFC 7591, RFC 7592, RFC 6749 section 4.4. It needs curl 7.55
# and what every POSIX system has. The second file, of mode 600, is written by the first run and wanted by all later ones.
#
# Exit codes: 0 done, 1 the metadata was refused, 2 this call is wrong, 3 the server failed or is not there,
# 4 a credential was refused.

set +x # also where the pipeline traces its commands: some of them hold secrets
set -eu
umask 077

metadata=${1:-client.json}
state=${2:-registration.env}

fail() {
    code=$1
    shift
    printf 'register.sh: %s\n' "$*" >&2
    exit "$code"
}

for name in ISSUER CLIENT_ID CLIENT_SECRET; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || fail 2 "$name: must be set in the environment"
done
[ -r "$metadata" ] || fail 2 "$metadata: cannot be read"

work=$(mktemp -d)
# What was written of a new registration stays, whatever happens then.
trap 'rm -rf "$work"; [ -s "$state.new" ] || rm -f "$state.new"' EXIT
trap 'exit 3' HUP INT TERM

# The value of the first member of this name, when it is a string. The JSON is made one line; the values read here are
# URLs, names and tokens, in which nothing is escaped but, by some, the slash. A name within a string would have a backslash
# before its quotes, so it is not taken for a member.
member() {
    tr -d '\r\n' | awk -v name="$1" '
        match($0, "\"" name "\"[ \t]*:[ \t]*\"[^\"]*\"") {
            value = substr($0, RSTART, RLENGTH)
            sub(/^"[^"]*"[ \t]*:[ \t]*"/, "", value)
            sub(/"$/, "", value)
            gsub(/\\\//, "/", value)
            print value
        }'
}

# Secrets go to no address without TLS, this machine excepted.
must_be_safe() {
    case $2 in
        https://* | http://127.0.0.1[:/]* | http://127.0.0.1 | http://localhost[:/]* | http://localhost | 'http://[::1]'*) ;;
        *) fail "$1" "$2: must be an https URL" ;;
    esac
}

# Calls the server with what else curl is to be told; the status is in $status then, and the body in $work/answer. Secrets
# come by files, since everybody on the machine may read command lines.
call() {
    status=$(curl --silent --show-error --max-time 30 --output "$work/answer" --write-out '%{http_code}' \
        --header 'Accept: application/json' "$@" 2>"$work/problem") ||
        fail 3 "the server gave no answer: $(cat "$work/problem")"
}

# What the server said, with the exit code that goes with its status.
refused() {
    told=$(member error_description <"$work/answer")
    case $status in
        401 | 403) code=4 ;;
        429 | 5??) code=3 ;;
        *) code=1 ;;
    esac
    fail "$code" "$1: ${told:-the server answered $status}"
}

discover() {
    ISSUER=${ISSUER%/}
    must_be_safe 2 "$ISSUER"
    call "$ISSUER/.well-known/openid-configuration"
    [ "$status" = 200 ] || fail 3 "$ISSUER has no discovery document: it answered $status"
    named=$(member issuer <"$work/answer")
    [ "${named%/}" = "$ISSUER" ] || fail 3 "the discovery document of $ISSUER is that of ${named:-nobody}"
    token_endpoint=$(member token_endpoint <"$work/answer")
    registration_endpoint=$(member registration_endpoint <"$work/answer")
    must_be_safe 3 "$token_endpoint"
    must_be_safe 3 "$registration_endpoint"
}

# Writes down what is needed for the next run, whole or not at all. A secret that is not shown again stays.
remember() {
    new_secret=$(member client_secret <"$work/answer")
    new_token=$(member registration_access_token <"$work/answer")
    {
        printf 'client_id=%s\n' "$(member client_id <"$work/answer")"
        printf 'client_secret=%s\n' "${new_secret:-${client_secret:-}}"
        printf 'registration_client_uri=%s\n' "$(member registration_client_uri <"$work/answer")"
        printf 'registration_access_token=%s\n' "${new_token:-${registration_access_token:-}}"
    } >"$state.new"
    mv "$state.new" "$state"
    member client_id <"$work/answer"
}

remembered() {
    sed -n "s/^$1=//p" "$state"
}

# Before anything is registered: an answer that cannot be kept is a client that nobody can manage.
{ : >"$state.new"; } 2>/dev/null || fail 2 "$state: cannot be written"

if [ -s "$state" ]; then
    client_id=$(remembered client_id)
    client_secret=$(remembered client_secret)
    registration_client_uri=$(remembered registration_client_uri)
    registration_access_token=$(remembered registration_access_token)
    [ -n "$registration_client_uri" ] || fail 2 "$state: names no registration_client_uri, so there is nothing to update at"
    must_be_safe 2 "$registration_client_uri"
    # An update says the whole registration, and whose it is. RFC 7592 section 2.2.
    tr '\r\n' '  ' <"$metadata" |
        sed "s/^[[:space:]]*{/{\"client_id\":\"$client_id\",/; s/,[[:space:]]*}[[:space:]]*\$/}/" >"$work/request"
    printf 'Authorization: Bearer %s\n' "$registration_access_token" >"$work/header"
    call "$registration_client_uri" --request PUT --header @"$work/header" \
        --header 'Content-Type: application/json' --data-binary @"$work/request"
    [ "$status" != 401 ] || fail 4 "the registration of $client_id is gone, or its token is: look at \`enroll clients show\`," \
        "and remove $state to register anew"
    [ "$status" = 200 ] || refused "$metadata"
else
    discover
    printf '%s' "$CLIENT_SECRET" >"$work/secret"
    call "$token_endpoint" --data grant_type=client_credentials --data scope=enroll.registration \
        --data-urlencode "client_id=$CLIENT_ID" --data-urlencode client_secret@"$work/secret"
    [ "$status" = 200 ] || refused "the pipeline's own client $CLIENT_ID"
    printf 'Authorization: Bearer %s\n' "$(member access_token <"$work/answer")" >"$work/header"
    call "$registration_endpoint" --header @"$work/header" \
        --header 'Content-Type: application/json' --data-binary @"$metadata"
    [ "$status" = 201 ] || refused "$metadata"
fi
remember
