#!/usr/bin/env bash
# Renders the status clips: one short, silent video for each line of texts.tsv (code, headline, advice).
# A player that is refused is sent to one of these, so they must play on the oldest television:
# H.264 baseline, 4:2:0, a silent audio track (some players refuse a file without one), index at the front.
#
# Needs: apt-get install ffmpeg fonts-dejavu-core
# Usage: crates/chill-edge/clips/render.sh [code ...]      without a code, all of them
set -euo pipefail
cd "$(dirname "$0")"

font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
bold=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
most_bytes=61440

if ! command -v ffmpeg >/dev/null || [ ! -f "$font" ] || [ ! -f "$bold" ]; then
  echo "render.sh: ffmpeg or the DejaVu fonts are missing: apt-get install ffmpeg fonts-dejavu-core" >&2
  exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# render CODE HEADLINE ADVICE
render() {
  # drawtext reads files, so no text needs quoting; fold keeps each line inside the picture.
  printf '%s' "$2" | fold -s -w 27 | sed 's/ *$//' >"$scratch/headline"
  printf '%s' "$3" | fold -s -w 44 | sed 's/ *$//' >"$scratch/advice"
  local top=220 advice_y bar
  advice_y=$((top + $(grep -c '' "$scratch/headline") * 84 + 40))
  bar=$((advice_y - top + $(grep -c '' "$scratch/advice") * 60))
  ffmpeg -nostdin -v error -y \
    -f lavfi -i "color=c=0x14181f:s=1280x720:r=5:d=8" \
    -f lavfi -i "anullsrc=r=44100:cl=mono" \
    -vf "drawbox=x=90:y=$top:w=10:h=$bar:color=0xf2b441:t=fill,\
drawtext=fontfile=$bold:textfile=$scratch/headline:expansion=none:fontcolor=white:fontsize=64:line_spacing=14:x=140:y=$top,\
drawtext=fontfile=$font:textfile=$scratch/advice:expansion=none:fontcolor=0xd5dae3:fontsize=42:line_spacing=16:x=140:y=$advice_y" \
    -c:v libx264 -profile:v baseline -level 3.1 -pix_fmt yuv420p -preset veryslow -tune stillimage -crf 28 -g 40 \
    -c:a aac -b:a 16k -t 8 -shortest -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
    -threads 1 -movflags +faststart "$scratch/$1.mp4"
  local bytes
  bytes=$(stat -c %s "$scratch/$1.mp4")
  if [ "$bytes" -gt "$most_bytes" ]; then
    echo "render.sh: $1.mp4 has $bytes bytes, more than $most_bytes: shorten its text in texts.tsv" >&2
    return 1
  fi
  mv "$scratch/$1.mp4" "$1.mp4"
  echo "$1.mp4 $bytes bytes"
}

while IFS=$'\t' read -r code headline advice; do
  if [ $# -eq 0 ] || [[ " $* " == *" $code "* ]]; then
    render "$code" "$headline" "$advice"
  fi
done <texts.tsv
