# The data disk. Only an empty one is formatted: one that holds a cluster is what the machine before this one left.
# shellcheck shell=bash
LABEL=clickstream-data

device() {
    if [ -n "${DATA_DEVICE:-}" ]; then
        echo "$DATA_DEVICE"
    elif [ -n "${DATA_VOLUME_ID:-}" ]; then
        echo "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${DATA_VOLUME_ID//-/}"
    fi
}

# A volume is attached after its machine has started.
wait_for_device() {
    for _ in $(seq 150); do
        [ -b "$1" ] && return
        sleep 2
    done
    fail "$1 did not appear in five minutes; is the volume attached?"
}

format_if_empty() {
    local found
    # blkid answers 2 when it knows nothing on the disk; 0 and a label, or another filesystem's.
    if found=$(blkid --probe --match-tag LABEL --output value "$1"); then
        [ "$found" = "$LABEL" ] || fail "$1 holds another filesystem (${found:-no label}); it is not formatted"
        log "$1 holds data; used as it is"
    elif [ $? = 2 ] && [ -z "$(blkid --probe --output value "$1")" ]; then
        log "$1 is empty; formatting it"
        mkfs.ext4 -q -L "$LABEL" "$1"
    else
        fail "$1 cannot be read, or holds something without a label; it is not formatted"
    fi
}

mkdir -p "$DATA"
if DISK=$(device) && [ -n "$DISK" ]; then
    if ! mountpoint -q "$DATA"; then
        wait_for_device "$DISK"
        format_if_empty "$DISK"
        grep -q "^LABEL=$LABEL " /etc/fstab 2> /dev/null \
            || echo "LABEL=$LABEL $DATA ext4 defaults,nofail,noatime,x-systemd.device-timeout=300 0 2" >> /etc/fstab
        systemctl daemon-reload
        mount -o noatime "$DISK" "$DATA"
    fi
    # Larger, when the volume was made larger. What stands goes on when that fails; the alarm of the disk would say so again.
    grown=$(resize2fs "$(findmnt -no SOURCE "$DATA")" 2>&1) || log "the file system was not made larger: $grown"
fi
chmod 755 "$DATA"

# A small machine installs and backs up more than its memory holds at once.
MEMORY_MB=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$MEMORY_MB" -lt 4000 ] && [ ! -e /swapfile ]; then
    log "$MEMORY_MB MB of memory; adding 2 GB of swap"
    fallocate -l 2G /swapfile
    chmod 600 /swapfile
    mkswap -q /swapfile
    echo '/swapfile none swap defaults 0 0' >> /etc/fstab
fi
if [ -e /swapfile ] && ! grep -q '^/swapfile' /proc/swaps; then swapon /swapfile; fi
