# shellcheck shell=bash disable=SC2034
# Shared by the scripts in this directory. It is sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit
bin=$root/.venv/bin
logs=build/log

# dockerd and setpriv are there, but these directories are not on every root's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# The caller's Python settings must not affect .venv.
unset PYTHONHOME PYTHONPATH
# After Ctrl-C the exit code is always 130, whatever the interrupted command returns.
trap 'echo; exit 130' INT
# Silences the warning about MkDocs 2 that Material prints on every call.
export NO_MKDOCS_2_WARNING=1

say() { printf '%s\n' "$*"; }

# stop CODE MESSAGE…: print each MESSAGE as a line on standard error, and exit with CODE.
stop() {
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# own DIR: stop if DIR cannot be written to: it is read-only, or belongs to another user after an earlier call with sudo.
own() {
  [[ ! -e $1 || -w $1 ]] && return
  # Root may write everywhere but on a file system that nobody can write to.
  [[ -O $1 || $(id -u) == 0 ]] && stop 3 "$root/$1 cannot be written to: it is read-only." \
    'hint: make it writable, or work in a copy'
  stop 3 "$root/$1 belongs to another user, so it cannot be updated." "hint: sudo chown -R $(id -un) $root/$1"
}

# step TITLE COMMAND…: run the command with its output in a log. If it fails, print the log's last $tail lines (20).
# The time counts from $since, if a command that was begun earlier is only waited for.
# On a terminal the passing seconds are shown; elsewhere there is one line at the start and one at the end.
step() {
  local title=$1 log=$logs/${1//[^A-Za-z0-9]/-}.log begun=${since:-$SECONDS} code=0 ticker=
  shift
  own build
  mkdir -p "$logs"
  if [[ -t 1 && -z ${CI:-} ]]; then
    printf '→ %s' "$title"
    # The counter runs in the background, not the command: a background command would not receive Ctrl-C.
    while sleep 1 && kill -0 $$ 2>/dev/null; do
      printf '\r→ %s %d s' "$title" $((SECONDS - begun))
    done &
    ticker=$!
  else
    say "→ $title …"
  fi
  # File descriptor 9 is the lock of scripts/bootstrap: a service that an installation starts must not keep it.
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
    # The bar, and the space in `##`, keep the CI system from taking a line for a command. A carriage return ends a line
    # for it as well. Control characters, including those of two bytes, are removed: a terminal would act on them.
    tail -n "${tail:-20}" "$log" | tr '\r' '\n' | LC_ALL=C tr -d '\000-\010\013-\037\177' |
      LC_ALL=C sed $'s/\xc2[\x80-\x9f]//g; s/##/# #/g; s/^/  │ /'
  fi
  return "$code"
}
