package mp4

// word is one entry of a table of variable-length codes.
type word struct {
	bits uint32
	n    uint
}

// tables are the constant tables of the standard, made once per encoder.
type tables struct {
	coeffToken  [4][17][4]word // by nC class, total coefficients, trailing ones
	totalZeros  [16][16]word   // by total coefficients, zeros
	zerosDC     [4][4]word     // the same for the four chroma DC coefficients
	runBefore   [8][15]word    // by zeros left (7 stands for more), run
	interCBP    [48]int        // code number of each coded block pattern
	zigzag      [16]int
	scale       [6][16]int32 // quantisation
	rescale     [6][16]int32 // and its reverse
	blockOrigin [16][2]int   // x, y of each luma block in coding order
}

// Classes of coeffToken.
const chromaDCClass = 3

func newTables() *tables {
	t := &tables{
		zigzag: [16]int{0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15},
	}
	t.coeffToken = coeffTokens()
	fill(t.totalZeros[1:], []string{
		"1 011 010 0011 0010 00011 00010 000011 000010 0000011 0000010 00000011 00000010 000000011 000000010 000000001",
		"111 110 101 100 011 0101 0100 0011 0010 00011 00010 000011 000010 000001 000000",
		"0101 111 110 101 0100 0011 100 011 0010 00011 00010 000001 00001 000000",
		"00011 111 0101 0100 110 101 100 0011 011 0010 00010 00001 00000",
		"0101 0100 0011 111 110 101 100 011 0010 00001 0001 00000",
		"000001 00001 111 110 101 100 011 010 0001 001 000000",
		"000001 00001 101 100 011 11 010 0001 001 000000",
		"000001 0001 00001 011 11 10 010 001 000000",
		"000001 000000 0001 11 10 001 01 00001",
		"00001 00000 001 11 10 01 0001",
		"0000 0001 001 010 1 011",
		"0000 0001 01 1 001",
		"000 001 1 01",
		"00 01 1",
		"0 1",
	})
	fill(t.zerosDC[1:], []string{"1 01 001 000", "1 01 00", "1 0"})
	fill(t.runBefore[1:], []string{
		"1 0", "1 01 00", "11 10 01 00", "11 10 01 001 000", "11 10 011 010 001 000", "11 000 001 011 010 101 100",
		"111 110 101 100 011 010 001 0001 00001 000001 0000001 00000001 000000001 0000000001 00000000001",
	})
	for code, pattern := range []int{
		0, 16, 1, 2, 4, 8, 32, 3, 5, 10, 12, 15, 47, 7, 11, 13, 14, 6, 9, 31, 35, 37, 42, 44,
		33, 34, 36, 40, 39, 43, 45, 46, 17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41,
	} {
		t.interCBP[pattern] = code
	}
	t.quantisers()
	for i := range t.blockOrigin {
		t.blockOrigin[i] = [2]int{(i&1 + i>>2&1*2) * 4, (i>>1&1 + i>>3*2) * 4}
	}
	return t
}

// fill reads codes written as text, a row for each line.
func fill[Row [4]word | [15]word | [16]word](rows []Row, lines []string) {
	for i, line := range lines {
		column := 0
		var w word
		for _, r := range line + " " {
			if r == ' ' {
				switch row := any(&rows[i]).(type) {
				case *[4]word:
					row[column] = w
				case *[15]word:
					row[column] = w
				case *[16]word:
					row[column] = w
				}
				column++
				w = word{}
				continue
			}
			w.bits = w.bits<<1 | uint32(r-'0') //nolint:gosec // 0 or 1
			w.n++
		}
	}
}

// quantisers sets the tables of scale, which differ by the place in the block.
func (t *tables) quantisers() {
	forward := [6][3]int32{{13107, 5243, 8066}, {11916, 4660, 7490}, {10082, 4194, 6554}, {9362, 3647, 5825}, {8192, 3355, 5243}, {7282, 2893, 4559}}
	reverse := [6][3]int32{{10, 16, 13}, {11, 18, 14}, {13, 20, 16}, {14, 23, 18}, {16, 25, 20}, {18, 29, 23}}
	for q := range 6 {
		for i := range 16 {
			class := 2
			switch odd := i&1 + i>>2&1; odd {
			case 0:
				class = 0
			case 2:
				class = 1
			}
			t.scale[q][i], t.rescale[q][i] = forward[q][class], reverse[q][class]
		}
	}
}

// coeffTokens is the table of coeff_token: the number of coefficients and of
// trailing ones, in three classes of neighbourhood and one for chroma DC.
func coeffTokens() [4][17][4]word {
	return [4][17][4]word{
		{
			{{1, 1}},
			{{5, 6}, {1, 2}},
			{{7, 8}, {4, 6}, {1, 3}},
			{{7, 9}, {6, 8}, {5, 7}, {3, 5}},
			{{7, 10}, {6, 9}, {5, 8}, {3, 6}},
			{{7, 11}, {6, 10}, {5, 9}, {4, 7}},
			{{15, 13}, {6, 11}, {5, 10}, {4, 8}},
			{{11, 13}, {14, 13}, {5, 11}, {4, 9}},
			{{8, 13}, {10, 13}, {13, 13}, {4, 10}},
			{{15, 14}, {14, 14}, {9, 13}, {4, 11}},
			{{11, 14}, {10, 14}, {13, 14}, {12, 13}},
			{{15, 15}, {14, 15}, {9, 14}, {12, 14}},
			{{11, 15}, {10, 15}, {13, 15}, {8, 14}},
			{{15, 16}, {1, 15}, {9, 15}, {12, 15}},
			{{11, 16}, {14, 16}, {13, 16}, {8, 15}},
			{{7, 16}, {10, 16}, {9, 16}, {12, 16}},
			{{4, 16}, {6, 16}, {5, 16}, {8, 16}},
		},
		{
			{{3, 2}},
			{{11, 6}, {2, 2}},
			{{7, 6}, {7, 5}, {3, 3}},
			{{7, 7}, {10, 6}, {9, 6}, {5, 4}},
			{{7, 8}, {6, 6}, {5, 6}, {4, 4}},
			{{4, 8}, {6, 7}, {5, 7}, {6, 5}},
			{{7, 9}, {6, 8}, {5, 8}, {8, 6}},
			{{15, 11}, {6, 9}, {5, 9}, {4, 6}},
			{{11, 11}, {14, 11}, {13, 11}, {4, 7}},
			{{15, 12}, {10, 11}, {9, 11}, {4, 9}},
			{{11, 12}, {14, 12}, {13, 12}, {12, 11}},
			{{8, 12}, {10, 12}, {9, 12}, {8, 11}},
			{{15, 13}, {14, 13}, {13, 13}, {12, 12}},
			{{11, 13}, {10, 13}, {9, 13}, {12, 13}},
			{{7, 13}, {11, 14}, {6, 13}, {8, 13}},
			{{9, 14}, {8, 14}, {10, 14}, {1, 13}},
			{{7, 14}, {6, 14}, {5, 14}, {4, 14}},
		},
		{
			{{15, 4}},
			{{15, 6}, {14, 4}},
			{{11, 6}, {15, 5}, {13, 4}},
			{{8, 6}, {12, 5}, {14, 5}, {12, 4}},
			{{15, 7}, {10, 5}, {11, 5}, {11, 4}},
			{{11, 7}, {8, 5}, {9, 5}, {10, 4}},
			{{9, 7}, {14, 6}, {13, 6}, {9, 4}},
			{{8, 7}, {10, 6}, {9, 6}, {8, 4}},
			{{15, 8}, {14, 7}, {13, 7}, {13, 5}},
			{{11, 8}, {14, 8}, {10, 7}, {12, 6}},
			{{15, 9}, {10, 8}, {13, 8}, {12, 7}},
			{{11, 9}, {14, 9}, {9, 8}, {12, 8}},
			{{8, 9}, {10, 9}, {13, 9}, {8, 8}},
			{{13, 10}, {7, 9}, {9, 9}, {12, 9}},
			{{9, 10}, {12, 10}, {11, 10}, {10, 10}},
			{{5, 10}, {8, 10}, {7, 10}, {6, 10}},
			{{1, 10}, {4, 10}, {3, 10}, {2, 10}},
		},
		{
			{{1, 2}},
			{{7, 6}, {1, 1}},
			{{4, 6}, {6, 6}, {1, 3}},
			{{3, 6}, {3, 7}, {2, 7}, {5, 6}},
			{{2, 6}, {3, 8}, {2, 8}, {0, 7}},
		},
	}
}
