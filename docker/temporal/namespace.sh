#!/bin/sh
# The namespace with what Syncline needs: closed runs kept for 30 days (deduplication lasts as long), its search attributes.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE. Runs at every start; does what is missing, and never shortens a retention.
set -eu

tries=0
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "Temporal at $TEMPORAL_ADDRESS did not answer for two minutes" >&2; exit 1; }
  sleep 2
done

if temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  echo "namespace $TEMPORAL_NAMESPACE is there"
else
  temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention 720h
  # The server learns of a new namespace within some seconds.
  until temporal operator search-attribute list -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do sleep 1; done
fi

known=$(temporal operator search-attribute list -n "$TEMPORAL_NAMESPACE")
for attribute in \
  SynclineSync=Keyword \
  SynclineSource=Keyword \
  SynclineAccount=Keyword \
  SynclineOutcome=Keyword \
  SynclineWaiting=Keyword \
  SynclineKeys=KeywordList; do
  name=${attribute%=*}
  case $known in
    *"$name"*) echo "search attribute $name is there" ;;
    *) temporal operator search-attribute create -n "$TEMPORAL_NAMESPACE" --name "$name" --type "${attribute#*=}" ;;
  esac
done
