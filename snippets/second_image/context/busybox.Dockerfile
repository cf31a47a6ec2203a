FROM scratch
COPY --from=alpine:3.22 /bin/busybox /bin/busybox
ENTRYPOINT ["/bin/busybox"]
