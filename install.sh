#!/bin/sh
# install.sh - builds balancerd and installs it, or takes it away again.
#
# What goes where stands in the Makefile (make install-list); this adds what a package
# would: the configuration, the user of the service, a list of what was installed. It
# may be run again at any time.
set -eu

usage() {
	cat <<'END'
usage: ./install.sh [OPTIONS] [VARIABLE=VALUE...]

Builds balancerd, balancerctl, kv-worker, kv-client and origin and installs them with
their manual pages, shell completions, systemd units and an example configuration.

  --prefix DIR     where to (/usr/local)
  --destdir DIR    put everything below DIR, as for a package
  --no-systemd     leave the systemd units out; they are where systemd is not installed
  --uninstall      remove what was installed; configuration and state stay
  --purge          the same, and remove configuration, state and logs, too
  --help           print this

Variables are for make: ./install.sh CC=clang CFLAGS=-O3. To install for yourself
alone, without root: ./install.sh --prefix ~/.local
END
}

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

wrong() {
	echo "install.sh: $*; see ./install.sh --help" >&2
	exit 2
}

say() {
	echo "$*"
}

prefix=/usr/local
destdir=
systemd=auto
action=install
purge=no

read_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--prefix | --destdir)
			if [ $# -eq 1 ] || [ -z "$2" ]; then wrong "$1 needs a folder"; fi
			if [ "$1" = --prefix ]; then prefix=$2; else destdir=$2; fi
			shift ;;
		--prefix=?*)   prefix=${1#*=} ;;
		--destdir=?*)  destdir=${1#*=} ;;
		--no-systemd)  systemd=no ;;
		--uninstall)   action=uninstall ;;
		--purge)       action=uninstall purge=yes ;;
		--help | -h)   usage; exit 0 ;;
		[A-Z]*=*)      ;;
		*)             wrong "unknown option $1" ;;
		esac
		shift
	done
}

# A folder as a path from the root, without a slash at its end.
whole_path() {
	case $1 in
	/*) path=$1 ;;
	*)  path=$here/$1 ;;
	esac
	while [ "$path" != "${path%/}" ]; do path=${path%/}; done
	case $path in
	*[!A-Za-z0-9/._+@~-]*) wrong "$1: a folder with blanks or signs in its name" ;;
	esac
	echo "$path"
}

# Where it may go: the folder, or the nearest one above it that is there.
may_write() {
	folder=$1
	while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
	[ -d "$folder" ] && [ -w "$folder" ]
}

# systemd runs on this machine, and this is no package for another one.
systemd_runs() {
	[ -z "$destdir" ] && [ -d /run/systemd/system ]
}

reload_units() {
	systemd_runs || return 0
	systemctl daemon-reload ||
		say "systemd has not read its units again; type: systemctl daemon-reload"
}

run_make() {
	make --no-print-directory "$@" PREFIX="$prefix" DESTDIR="$destdir" \
		SYSCONFDIR="$sysconfdir" SYSTEMD="$systemd"
}

# Files of the last time that are not installed any more.
remove_outdated() {
	[ -f "$manifest" ] || return 0
	while read -r kind place; do
		[ "$kind" = file ] || continue
		echo "$new_files" | grep -qxF "$place" || rm -f "$root/$place"
	done <"$manifest"
}

# Folders on the way to a file that are not there yet, outermost first.
missing_folders() {
	for place in $new_files; do
		folder=$(dirname "$place")
		while [ "$folder" != . ] && [ ! -d "$root/$folder" ]; do
			echo "$folder"
			folder=$(dirname "$folder")
		done
	done | sort -u
}

# The configuration is the operator's. It is replaced only while it is still the
# example of the last time, which is kept beside the documentation.
install_configuration() {
	if [ ! -e "$configuration" ]; then
		said="an example, made for you to edit"
	elif cmp -s "$configuration" "$root/$example"; then
		said="as it is"
		return
	elif [ "$old_example" = "$(cksum <"$configuration")" ]; then
		said="the example of this version: it had not been edited"
	else
		said="yours, as it is; the example is $prefix/$example"
		return
	fi
	mkdir -p "$(dirname "$configuration")"
	cp "$root/$example" "$configuration"
	chmod 644 "$configuration"
}

# The user of the service, and what systemd should know now.
settle_service() {
	service=
	[ "$systemd" = yes ] || return 0
	service="balancerd.service, and balancerd@NAME.service for several;
                 kv-worker@NAME.service for workers of a key-value pool"
	[ -z "$destdir" ] || return 0
	case $prefix in
	/usr | /usr/local) ;;
	*)  service="$service (systemd finds it by:
                 systemctl link $prefix/lib/systemd/system/balancerd.service)" ;;
	esac
	if [ "$(id -u)" -eq 0 ] && ! id balancerd >/dev/null 2>&1; then
		systemd-sysusers "$root/lib/sysusers.d/balancerd.conf" ||
			say "The user balancerd could not be made; the service needs it."
	fi
	reload_units
}

report() {
	say "Installed in $root:"
	run_make -s install-list | sed 's/^/    /'
	say "Configuration:   $configuration ($said)"
	[ -z "$service" ] || say "Service:         $service"
	[ -n "$service" ] || say "Service:         none"
	[ -z "$destdir" ] || return 0
	say
	say "Try it:          balancerctl start 127.0.0.1 8080 HOST:PORT"
	[ -z "$service" ] || say "Or as a service: systemctl enable --now balancerd"
	if systemd_runs && systemctl -q is-active balancerd.service; then
		say "The version that was there still runs: systemctl restart balancerd"
	fi
	case :$PATH: in
	*:"$prefix/bin":*) ;;
	*) say "Your PATH does not have $prefix/bin, where balancerctl is." ;;
	esac
}

install_all() {
	for folder in "$root" "$etc"; do
		may_write "$folder" ||
			fail "cannot write to $folder; run it as root, or give --prefix"
	done
	if [ "$systemd" = auto ]; then
		systemd=no
		if [ -n "$destdir" ] || command -v systemctl >/dev/null 2>&1; then
			systemd=yes
		fi
	fi
	tools/install-deps build
	make --no-print-directory -j"$(nproc)" "$@" programs

	old_example=
	[ ! -f "$root/$example" ] || old_example=$(cksum <"$root/$example")
	new_files=$(run_make -s install-list)
	folders=$(
		missing_folders
		[ ! -f "$manifest" ] || sed -n 's/^folder //p' "$manifest"
	)
	run_make "$@" install >/dev/null
	remove_outdated
	{
		echo "$folders" | sort -u | sed -n 's/^./folder &/p'
		echo "$new_files" | sed 's/^/file /'
	} >"$manifest.new"
	mv "$manifest.new" "$manifest"
	install_configuration
	settle_service
	report
}

stop_service() {
	systemd_runs && [ -e "$root/lib/systemd/system/balancerd.service" ] || return 0
	systemctl disable --now balancerd.service 'balancerd@*.service' \
		'kv-worker@*.service' 2>/dev/null || true
}

remove_files() {
	if [ ! -f "$manifest" ]; then
		say "Nothing is installed in $root: there is no $manifest."
		return
	fi
	[ -w "$(dirname "$manifest")" ] || fail "cannot write to $root; run it as root"
	stop_service
	files=$(sed -n 's/^file //p' "$manifest")
	folders=$(sed -n 's/^folder //p' "$manifest" | sort -r)
	for place in $files; do rm -f "${root:?}/$place"; done
	rm -f "$manifest"
	# Deepest first; one that others use by now stays.
	for place in $folders; do rmdir "$root/$place" 2>/dev/null || true; done
	reload_units
	say "Removed from $root:"
	echo "$files" | sed 's/^/    /'
}

# One folder of the operator's: removed if that is wanted, otherwise named.
remove_folder() {
	[ -e "$1" ] || return 0
	if [ "$purge" = yes ]; then
		rm -rf "$1"
		say "Removed: $1"
	else
		say "Left:    $1 (--purge removes it)"
	fi
}

# State and logs are in /var for the balancers of the system; those of one user, and
# of a prefix of its own, may be shared with others and are left alone.
remove_data() {
	remove_folder "$etc"
	if [ "$sysconfdir" != /etc ]; then
		rmdir "$destdir$sysconfdir" 2>/dev/null || true
		return
	fi
	remove_folder "$destdir/var/lib/balancerd"
	remove_folder "$destdir/var/lib/kv-worker"
	remove_folder "$destdir/var/log/balancerd"
	if [ "$purge" = yes ] && [ -z "$destdir" ] && [ "$(id -u)" -eq 0 ] &&
		id balancerd >/dev/null 2>&1; then
		userdel balancerd && say "Removed: the user balancerd"
	fi
}

here=$(pwd)
read_options "$@"
prefix=$(whole_path "$prefix")
[ -z "$destdir" ] || destdir=$(whole_path "$destdir")
case $prefix in
/usr | /usr/local) sysconfdir=/etc ;;
*)                 sysconfdir=$prefix/etc ;;
esac
root=$destdir$prefix
etc=$destdir$sysconfdir/balancerd
configuration=$etc/balancerd.conf
example=share/doc/balancerd/balancerd.conf
manifest=$root/share/doc/balancerd/installed

# What is left are variables for make.
for word in "$@"; do
	shift
	case $word in
	[A-Z]*=*) set -- "$@" "$word" ;;
	esac
done
cd "$(dirname "$0")"
if [ "$action" = install ]; then
	install_all "$@"
else
	remove_files
	remove_data
fi
