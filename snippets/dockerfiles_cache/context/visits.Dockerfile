FROM alpine:3.22
RUN --mount=type=cache,target=/visits echo first >> /visits/log
RUN --mount=type=cache,target=/visits echo second >> /visits/log && cp /visits/log /log
CMD ["cat", "/log"]
