wc -w note.txt
