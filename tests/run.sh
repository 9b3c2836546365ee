#!/usr/bin/env bash
# Checks everything, from formatting to a real audit log that becomes an alert; `--help` says more.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

readonly VENV=target/test-venv
readonly BUILT=target/sam

main() {
  case "${1-}" in
    '') ;;
    -h | --help) usage; return ;;
    *) usage >&2; return 2 ;;
  esac

  trap name_failure EXIT
  step 'test environment' test_environment

  export PATH="$PWD/$VENV/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
  # One place for what is built, so that the end-to-end test finds it.
  export CARGO_TARGET_DIR="$PWD/target"
  export SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR="$PWD/target/sam-home"
  # The servers of the tests are on loopback, where no proxy goes.
  export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

  step 'formatting' cargo fmt --check
  step 'clippy' cargo clippy --locked --all-targets -- -D warnings
  step 'documentation' documentation
  step 'Rust tests' cargo test --locked -- --skip state::
  # Their figures are worth reading also when they pass.
  step 'state' cargo test --locked -- --show-output state::
  step 'DynamoDB tests' python tests/e2e/with_dynamodb.py \
    cargo test --locked --test integration -- --show-output --ignored dynamodb
  step 'portable rules' pytest -p no:cacheprovider --quiet tests/rules_portable
  step 'rules' rules
  step 'scenarios' pytest --quiet --basetemp=target/scenarios tests/scenarios
  step 'template' template
  step 'sam build' sam_build
  # Not through `step`, which would print its duration: the closing line is pytest's.
  announce 'end to end'
  pytest --basetemp=target/e2e tests/e2e
}

usage() {
  cat <<'USAGE'
Usage: tests/run.sh

Runs every check there is, in this order, and stops at the first that fails:
  test environment  a virtual environment with the pinned tools, in target/test-venv; made once
  formatting        cargo fmt --check
  clippy            all targets, warnings denied
  documentation     cargo doc with private items, warnings denied
  Rust tests        cargo test, which needs no server
  state             correlations and alerts under redelivery, crashes and storms, with figures
  DynamoDB tests    the tests that need a DynamoDB, with one on loopback
  portable rules    pySigma and sigma check on the rules
  rules             vaultwatch check and vaultwatch test --mutate, on the rules that ship, and rules/README.md
  scenarios         attacks on OpenBao, each of which raises what it should, and a day on which nobody attacks it
  template          sam validate --lint and cfn-lint
  sam build         the function and the rules layer, as they are deployed
  end to end        OpenBao's audit log through the deployed function to a queue, and no secret in any output

Needs Rust with rustfmt and clippy, Python 3.11 or later with venv, and make. Nothing is installed globally, all servers
listen on the loopback address, and everything that is built or written goes into target/.
USAGE
}

# Runs a command under a name, and says how long it took.
step() {
  local began=$SECONDS
  announce "$1"
  "${@:2}"
  printf -- '--- %s: %d s\n' "$1" "$((SECONDS - began))"
}

announce() {
  current=$1
  printf '\n--- %s\n' "$current"
}

name_failure() {
  local status=$?
  if ((status != 0)); then
    printf '\ntests/run.sh: %s failed\n' "$current" >&2
  fi
}

test_environment() {
  local stamp=$VENV/requirements.txt
  if cmp -s tests/requirements.txt "$stamp" && "$VENV/bin/python" -c ''; then
    echo "$VENV is up to date"
    return
  fi
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
  python3 -m venv --clear "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement tests/requirements.txt
  cp tests/requirements.txt "$stamp"
}

documentation() {
  RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
}

# A rule that does not check, or that its own tests do not pin down, never ships; nor does one that is not listed.
rules() {
  cargo run --quiet --locked -- check --deny warnings rules
  cargo run --quiet --locked -- test --mutate rules
  diff <(cargo run --quiet --locked -- rules --format markdown rules) rules/README.md
}

template() {
  sam validate --lint --template template.yaml
  cfn-lint template.yaml
}

# For this machine's processor, on which the binary is about to run; `arm64` is what template.yaml says otherwise.
sam_build() {
  local architecture
  case "$(uname -m)" in
    x86_64) architecture=x86_64 ;;
    aarch64 | arm64) architecture=arm64 ;;
    *) echo "Lambda has no processor like $(uname -m)" >&2; return 1 ;;
  esac
  sam build --template template.yaml --build-dir "$BUILT" --parameter-overrides "Architecture=$architecture"
}

main "$@"
