// Every kind of node that the grammar's types name, and where it may stand in a raw parse tree. What is not listed is not understood.

/**
 * - statement: judged by its row in statements.ts
 * - expression: has a case in expressions.ts
 * - from: an item of FROM
 * - clause: read by the statement or the expression that it belongs to
 * - value: a name, a number, a list
 * - body: a statement of a function's body only
 * - analysed: made by the server's analysis or planner; a raw tree never has it
 * - wrapper: the parser's own messages around trees and tokens
 */
export type Place = "statement" | "expression" | "from" | "clause" | "value" | "body" | "analysed" | "wrapper";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const PLACES: readonly (readonly [Place, readonly string[]])[] = [
  [
    "statement",
    words(`
    SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt CopyStmt TruncateStmt
    ExplainStmt PrepareStmt ExecuteStmt DeallocateStmt DeclareCursorStmt FetchStmt ClosePortalStmt
    DoStmt CallStmt LoadStmt TransactionStmt ConstraintsSetStmt VariableSetStmt VariableShowStmt DiscardStmt
    ListenStmt UnlistenStmt NotifyStmt LockStmt VacuumStmt ClusterStmt ReindexStmt CheckPointStmt RefreshMatViewStmt
    CreateStmt CreateForeignTableStmt CreateTableAsStmt ViewStmt IndexStmt CreateSeqStmt AlterSeqStmt CompositeTypeStmt AlterTableStmt
    RenameStmt AlterObjectSchemaStmt AlterObjectDependsStmt AlterOwnerStmt DropStmt CommentStmt SecLabelStmt CreateSchemaStmt
    CreateFunctionStmt AlterFunctionStmt CreateTrigStmt RuleStmt CreatePolicyStmt AlterPolicyStmt CreateEventTrigStmt AlterEventTrigStmt
    CreateStatsStmt AlterStatsStmt CreateDomainStmt AlterDomainStmt CreateEnumStmt AlterEnumStmt CreateRangeStmt AlterTypeStmt
    DefineStmt AlterCollationStmt AlterOperatorStmt CreateOpClassStmt CreateOpFamilyStmt AlterOpFamilyStmt CreateCastStmt
    CreateConversionStmt CreateTransformStmt CreatePLangStmt CreateAmStmt AlterTSDictionaryStmt AlterTSConfigurationStmt
    CreateExtensionStmt AlterExtensionStmt AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt
    AlterForeignServerStmt CreateUserMappingStmt AlterUserMappingStmt DropUserMappingStmt ImportForeignSchemaStmt
    CreatePublicationStmt AlterPublicationStmt CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt
    CreatedbStmt AlterDatabaseStmt AlterDatabaseRefreshCollStmt AlterDatabaseSetStmt DropdbStmt
    CreateTableSpaceStmt DropTableSpaceStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt AlterSystemStmt
    GrantStmt GrantRoleStmt AlterDefaultPrivilegesStmt CreateRoleStmt AlterRoleStmt AlterRoleSetStmt DropRoleStmt DropOwnedStmt
    ReassignOwnedStmt`),
  ],
  [
    "expression",
    words(`
    ColumnRef A_Const ParamRef A_Expr BoolExpr NullTest BooleanTest FuncCall TypeCast SubLink CaseExpr CoalesceExpr MinMaxExpr
    A_ArrayExpr RowExpr A_Indirection CollateClause NamedArgExpr SQLValueFunction SetToDefault MergeSupportFunc CurrentOfExpr GroupingFunc
    XmlExpr XmlSerialize JsonIsPredicate JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonObjectConstructor JsonArrayConstructor
    JsonArrayQueryConstructor JsonObjectAgg JsonArrayAgg JsonFuncExpr JsonValueExpr JsonKeyValue JsonArgument JsonBehavior
    WindowDef SortBy`),
  ],
  ["from", words("RangeVar RangeSubselect RangeFunction RangeTableFunc RangeTableSample JoinExpr JsonTable")],
  [
    "clause",
    words(`
    Alias IntoClause TypeName RoleSpec A_Star A_Indices ResTarget MultiAssignRef CaseWhen RangeTableFuncCol ColumnDef TableLikeClause
    IndexElem StatsElem DefElem LockingClause PartitionElem PartitionSpec PartitionBoundSpec PartitionCmd GroupingSet WithClause
    InferClause OnConflictClause CTESearchClause CTECycleClause CommonTableExpr MergeWhenClause ReturningOption ReturningClause
    TriggerTransition JsonFormat JsonReturning JsonOutput JsonTablePathSpec JsonTableColumn JsonAggConstructor
    AlterTableCmd ATAlterConstraint ReplicaIdentityStmt Constraint ObjectWithArgs AccessPriv CreateOpClassItem FunctionParameter
    VacuumRelation PublicationTable PublicationObjSpec`),
  ],
  ["value", words("Integer Float Boolean String BitString List")],
  ["body", words("ReturnStmt PLAssignStmt")],
  [
    "analysed",
    words(`
    Query Var Param Aggref WindowFunc WindowFuncRunCondition SubscriptingRef FuncExpr OpExpr DistinctExpr NullIfExpr ScalarArrayOpExpr
    SubPlan AlternativeSubPlan FieldSelect FieldStore RelabelType CoerceViaIO ArrayCoerceExpr ConvertRowtypeExpr CollateExpr
    CaseTestExpr ArrayExpr RowCompareExpr JsonConstructorExpr JsonExpr JsonTablePath JsonTablePathScan JsonTableSiblingJoin MergeAction
    CoerceToDomain CoerceToDomainValue NextValueExpr InferenceElem ReturningExpr TargetEntry RangeTblRef FromExpr OnConflictExpr
    TableFunc RangeTblEntry RTEPermissionInfo RangeTblFunction TableSampleClause WithCheckOption SortGroupClause WindowClause
    RowMarkClause SetOperationStmt PartitionRangeDatum InlineCodeBlock CallContext OidList IntList`),
  ],
  ["wrapper", words("RawStmt ParseResult ScanResult ScanToken SummaryResult Table Function FilterColumn")],
];

export const NODE_KINDS: ReadonlyMap<string, Place> = new Map(
  PLACES.flatMap(([place, kinds]) => kinds.map((kind) => [kind, place] as const)),
);
