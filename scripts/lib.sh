# shellcheck shell=bash disable=SC2034
# What the verbs share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit
bin=$root/.venv/bin
logs=build/log

# dockerd and setpriv live there, and not every root has them on its path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# A caller's own Python settings must not reach into .venv.
unset PYTHONHOME PYTHONPATH
# So that a Ctrl-C reads as one, whatever code the interrupted command ends with.
trap 'echo; exit 130' INT
# Material's farewell on every call is known here: it is why the page side is no MkDocs plugin.
export NO_MKDOCS_2_WARNING=1

say() { printf '%s\n' "$*"; }

# stop CODE MESSAGE…: the message goes to the error output, a line each.
stop() {
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# own DIR: stops where an earlier call, by sudo, left DIR to another user.
own() {
  [[ ! -e $1 || -w $1 ]] || stop 3 "$root/$1 belongs to another user, so it cannot be brought up to date." \
    "To cure it: sudo chown -R $(id -un) $root/$1"
}

# step TITLE COMMAND…: the command's output goes to a log, of which a failure shows the last $tail lines (20).
# A terminal sees the seconds pass; elsewhere it is one line at the start and one at the end.
step() {
  local title=$1 log=$logs/${1//[^A-Za-z0-9]/-}.log begun=$SECONDS code=0 ticker=
  shift
  own build
  mkdir -p "$logs"
  if [[ -t 1 && -z ${CI:-} ]]; then
    printf '→ %s' "$title"
    # The ticker is what runs in the background, since a background command would not hear Ctrl-C.
    while sleep 1 && kill -0 $$ 2>/dev/null; do
      printf '\r→ %s %d s' "$title" $((SECONDS - begun))
    done &
    ticker=$!
  else
    say "→ $title …"
  fi
  # 9 is the lock of scripts/bootstrap: a service that an installation starts must not hold it.
  "$@" >"$log" 2>&1 </dev/null 9>&- || code=$?
  if [[ $ticker ]]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r\033[K'
  fi
  if ((code == 0)); then
    say "✓ $title $((SECONDS - begun)) s"
  else
    say "✗ $title failed after $((SECONDS - begun)) s, with code $code. The end of $log:"
    # The bar keeps a log line from being read as a command by the CI's own log, and so does the blank. For it a line
    # ends at a carriage return too. Control characters are left out, those of two bytes too: a terminal acts on them.
    tail -n "${tail:-20}" "$log" | tr '\r' '\n' | LC_ALL=C tr -d '\000-\010\013-\037\177' |
      LC_ALL=C sed 's/\xc2[\x80-\x9f]//g; s/##/# #/g; s/^/  │ /'
  fi
  return "$code"
}
