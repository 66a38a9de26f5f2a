# SPDX-License-Identifier: GPL-2.0-only
# scripts/setup says what is missing, and apt's failures are not hidden.
. "$(dirname "$0")/lib.sh"

cp "$TOP/scripts/setup" "$REPO/scripts/"
mkdir "$WORK/bin"
# $HAVE: what dpkg-query knows; apt-get fails as $APT_STATUS says.
cat >"$WORK/bin/dpkg-query" <<'END'
#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
for name in "${@:4}"; do
	case " $(cat "$HAVE") " in
	*" -$name "*) ;;
	*" ~$name "*) echo "$name config-files" ;;
	*) echo "$name installed" ;;
	esac
done
END
cat >"$WORK/bin/apt-get" <<'END'
#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
echo "apt-get $*" >>"$CALLS"
case " $* " in
*" install "*)
	[ "$APT_STATUS" = 0 ] || { echo "E: Unable to locate package bison"; exit 100; }
	[ -n "${APT_LIES-}" ] || : >"$HAVE"
	;;
esac
END
cat >"$WORK/bin/id" <<'END'
#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
echo "$UID_SHOWN"
END
chmod +x "$WORK"/bin/*
export HAVE=$WORK/have CALLS=$WORK/calls APT_STATUS=0 UID_SHOWN=0
: >"$CALLS"
setup() { PATH=$WORK/bin:$PATH "$REPO/scripts/setup" "$@"; }
lacks() { printf '%s' "$*" >"$HAVE"; }

lacks
check "control: nothing is missing" eval 'run 0 setup && [ ! -s "$OUT" ]'
check "and apt is not called" eval '[ ! -s "$CALLS" ]'
lacks -bison -flex
check "without root one apt line says what is missing" eval '
	UID_SHOWN=1000 NO_INSTALL=1 refuses "apt-get install .* bison flex$" setup'
check "and nothing is installed" eval '[ ! -s "$CALLS" ]'
lacks '~bison'
check "a removed package whose configuration stayed is missing" eval '
	NO_INSTALL=1 refuses "install .* bison$" setup'
lacks -bison
check "root installs by name" eval 'run 0 setup && grep -q "install -y --no-install-recommends bison$" "$CALLS"'
lacks -bison
check "an installation that fails is told, with apt's reason" eval '
	APT_STATUS=1 refuses "packages could not be installed" setup && says "Unable to locate package bison"'
check "an installation that changes nothing too" eval '
	APT_LIES=1 refuses "still missing after the installation: bison" setup'
check "an unknown argument" refuses "unknown argument 'foo'" setup foo
