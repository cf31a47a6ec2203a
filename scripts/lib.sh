# shellcheck shell=bash disable=SC2034
# Shared by the scripts in this directory. It is sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit
bin=$root/.venv/bin
logs=build/log

# dockerd and setpriv are there, but these directories are not on every root's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# The caller's Python settings must not affect .venv, nor must a module that a branch has put into the root directory.
unset PYTHONHOME PYTHONPATH
export PYTHONSAFEPATH=1
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

# Print the end of standard input, which a stranger may have written, so that no terminal and no CI system acts on it. Only
# ASCII stays, because other characters can be invisible or turn the text around. With a bar in front of each line and no
# `##` in it, none is a command to GitHub or Azure.
evidence() (
  export LC_ALL=C
  tail -n "${tail:-20}" | tr '\r' '\n' | tr -cs '\n\t -~' '?' | sed 's/##/# #/g; s/##/# #/g; s/^/  │ /'
)

# refuse MESSAGE TEXT [HINT]: stop with code 2, and with a stranger's text as evidence.
refuse() {
  say "$1" >&2
  evidence <<<"$2" >&2
  [[ ! ${3:-} ]] || say "$3" >&2
  exit 2
}

# own DIR: stop if DIR cannot be written to: it is read-only, or belongs to another user after an earlier call with sudo.
own() {
  [[ ! -e $1 || -w $1 ]] && return
  # Root may write everywhere but on a file system that nobody can write to.
  [[ -O $1 || $(id -u) == 0 ]] && stop 3 "$root/$1 cannot be written to: it is read-only." \
    'hint: make it writable, or work in a copy'
  stop 3 "$root/$1 belongs to another user, so it cannot be updated." "hint: sudo chown -R $(id -un) $root/$1"
}

# step TITLE COMMAND…: run the command with its output in a log. If it fails, print the end of the log: $tail lines (20).
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
    evidence <"$log"
  fi
  return "$code"
}

# What the scripts make must not come from a branch instead: they would run its .venv, write where a link called build leads,
# and empty the directory that site leads to. Python prefers a __pycache__ to the module that somebody reviewed, and pip
# runs a setup.py. Where git does not answer, nothing was checked out here.
names=(/.venv /build /site '/.*_cache' __pycache__ '*.egg-info' /setup.py /setup.cfg)
committed=$(git -c core.fsmonitor=false --git-dir=.git ls-files --cached --ignored "${names[@]/#/--exclude=}" \
  2>/dev/null) || :
[[ ! $committed ]] || refuse 'Nothing was run, because git has files here that the scripts would run or overwrite:' \
  "$committed" 'hint: find out who added them; git rm -r --cached removes them from the branch'
